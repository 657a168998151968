import { bytesOf } from "../../../data/file_array.ts";
import { joinBytes } from "../../../data/safetensors_encode.ts";
import type { StateDict } from "../../../data/tensor.ts";
import { chooseStates } from "../../../hierarchy/choose_states.ts";
import { type CompressorOptions, resolveOptions } from "../../../hierarchy/compressor_options.ts";
import type { CompressInput } from "../../../hierarchy/compress_input.ts";
import { encodeStages } from "../../../hierarchy/encode_stages.ts";
import { containerParts } from "../../../hierarchy/file/container.ts";
import { prepareModel } from "../../../hierarchy/prepare_model.ts";
import { CodingWorkers } from "../../../hierarchy/workers/coding_workers.ts";
import type { TasksThrough } from "../../../hierarchy/workers/task_runner.ts";

/**
 * The file of the preset rate at a step, instead of at a size; `through` is given the states of the
 * trellis, and says what quantizes.
 */
export async function encodeAtStep(
  weights: StateDict,
  { metrics = new Map(), ...description }: CompressInput,
  step: number,
  options: CompressorOptions,
  through: (states: number) => TasksThrough,
): Promise<Uint8Array> {
  const resolved = resolveOptions(options);
  const { base, matrices } = await prepareModel(weights, metrics, description, resolved);
  const values = matrices.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const states = chooseStates(resolved, values);
  const workers = new CodingWorkers(resolved.threads, resolved.threads > 1, through(states));
  try {
    const encoder = await encodeStages(matrices, { ...resolved, states, workers });
    const stages = await encoder.encodeAt(step, () => {});
    return joinBytes((await containerParts({ ...base, stages })).map(bytesOf));
  } finally {
    workers.close();
  }
}
