import { transpose } from "../../data/transpose.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import type { Device } from "../webgpu/device.ts";
import { groupLinears, type LinearGroup } from "../webgpu/layer_steps.ts";
import type { KeptGradients, TrainingRun } from "../webgpu/training_run.ts";

/** Rows of an embedding that tokens look up. */
export interface Lookup {
  /** The embedding's name. */
  readonly tensor: string;
  /** Number of each token's row. */
  readonly places: Int32Array;
  /** The rows times `scale`, `[tokens, hiddenSize]`. */
  readonly values: Float32Array;
  readonly scale: number;
}

/** What {@linkcode addWeightGradients} is given. */
export interface WeightGradientOptions {
  readonly model: TransformerDescription;
  readonly run: TrainingRun;
  /** What a job's plan left there. */
  readonly kept: KeptGradients;
  readonly lookups: readonly Lookup[];
  /** What is added to, laid out as tensors are stored. */
  readonly sums: ReadonlyMap<string, Float32Array>;
}

/** Adds the gradients by all matrices that a job left on the device. */
export async function addWeightGradients(
  device: Device,
  { model, run, kept, lookups, sums }: WeightGradientOptions,
): Promise<void> {
  const { hiddenSize, head } = model;
  const read = async (buffer: GPUBuffer, count: number) =>
    new Float32Array(await device.read(buffer, 4 * count));
  const add = (tensor: string, start: number, values: Float32Array) => {
    const sum = sums.get(tensor)!;
    for (let i = 0; i < values.length; i++) sum[start + i]! += values[i]!;
  };
  for (const [index, layer] of model.layers.entries()) {
    const places = run.trained.places.layers[index]!;
    for (const [group, buffer] of Object.entries(kept.layers[index]!)) {
      const { matrix: { rows, columns } } = places[group as LinearGroup];
      const values = await read(buffer, rows * columns);
      const linears = groupLinears(layer, group as LinearGroup);
      if (run.trained.isAsStored(index, group as LinearGroup)) {
        add(linears[0]!.weight, 0, values);
        continue;
      }
      let row = 0;
      for (const { weight, outputs, layout } of linears) {
        const own = values.subarray(row * columns, (row + outputs) * columns);
        add(weight, 0, layout === "outputsByInputs" ? own : transpose(own, outputs, columns));
        row += outputs;
      }
    }
  }
  for (const [part, { start }] of run.trained.head.entries()) {
    const { rows } = run.trained.places.head[part]!;
    const values = await read(kept.head[part]!, rows * hiddenSize);
    add(head.weight, start * hiddenSize, values);
  }
  const rows = lookups[0]!.places.length;
  const gradient = await read(run.gradients.gradient, rows * hiddenSize);
  for (const { tensor, places, scale } of lookups) {
    const sum = sums.get(tensor)!;
    places.forEach((place, row) => {
      for (let i = 0; i < hiddenSize; i++) {
        sum[place * hiddenSize + i]! += scale * gradient[row * hiddenSize + i]!;
      }
    });
  }
}
