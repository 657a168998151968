import { InputError } from "../data/input_error.ts";
import { elementCount } from "../data/tensor.ts";
import type { DecoderDescription } from "./architectures/description.ts";
import { logitsBlockSize } from "./chunk_scorer.ts";
import { expectedTensors, layerLinears } from "./expected_tensors.ts";

/** Bytes that one worker's heap may reach: the WASM backend breaks silently at 4 GiB. */
export const heapLimit = 3.5e9;

/** Weights up to this size stay in each worker's heap; larger ones come layer by layer. */
const residentLimit = 6e8;

/** A float32 weight in the heap, as given and as packed by the WASM backend. */
const bytesPerWeight = 8;

/** How a worker holds models. */
export interface MemoryPlan {
  /** Whether all weights stay in the heap. */
  readonly resident: boolean;
  /** Estimated peak of a worker's heap in bytes. */
  readonly heapBytes: number;
}

/**
 * Decides whether `models` models of this description stay in a worker's heap while batches of
 * `batchTokens` tokens run through them. Throws {@linkcode InputError} where even one layer at a time
 * does not fit.
 */
export function planMemory(
  model: DecoderDescription,
  models: number,
  batchTokens: number,
  contextLength: number,
): MemoryPlan {
  const weights = [...expectedTensors(model).values()].reduce((n, s) => n + elementCount(s), 0);
  const residentBytes = models * weights * bytesPerWeight;
  const resident = residentBytes <= residentLimit;
  const largestLayer = Math.max(
    ...model.layers.map((layer) =>
      layerLinears(layer).reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0)
    ),
  );
  const head = model.head.inputs * model.head.outputs;
  const heapBytes =
    (resident ? residentBytes : bytesPerWeight * Math.max(largestLayer, models * head)) +
    activationBytes(model, batchTokens, contextLength);
  if (heapBytes <= heapLimit) return { resident, heapBytes };
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
  throw new InputError(
    `the model needs about ${gigabytes(heapBytes)} GB a worker at context ${contextLength}, more ` +
      `than the ${gigabytes(heapLimit)} GB of a WASM heap; choose a smaller context or model`,
  );
}

/** What one layer makes before it is freed, and a block of logits. */
function activationBytes(model: DecoderDescription, tokens: number, contextLength: number): number {
  const widest = Math.max(
    ...model.layers.flatMap(layerLinears).map(({ inputs, outputs }) => Math.max(inputs, outputs)),
  );
  const perToken = 8 * model.hiddenSize + 6 * widest;
  return 4 * (tokens * perToken + 4 * contextLength ** 2 + 2 * logitsBlockSize);
}
