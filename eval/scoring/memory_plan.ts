import { InputError } from "../../data/input_error.ts";
import { elementCount } from "../../data/tensor.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { headBlockWidth } from "../model/head_blocks.ts";
import { expectedTensors, layerLinears } from "../weights/expected_tensors.ts";
import { greatest } from "../../data/extremes.ts";

/** Logits that are held at once, so that large vocabularies need little memory. */
export const logitsBlockSize = 16 * 2 ** 20;

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

/** What is run, as far as memory is concerned. */
export interface MemoryDemand {
  /** Matrices that are held for each weight: models that run together, or a transposed copy. */
  readonly copies: number;
  /** Tokens that go through the model at once. */
  readonly batchTokens: number;
  /** Tokens a sequence. */
  readonly contextLength: number;
  /** Whether layers are differentiated, which holds all of a layer's intermediate results. */
  readonly backward: boolean;
}

/**
 * Decides whether all weights of a model stay in a worker's heap. Throws {@linkcode InputError} if
 * even one layer at a time does not fit.
 */
export function planMemory(model: TransformerDescription, demand: MemoryDemand): MemoryPlan {
  const residentBytes = demand.copies * countWeights(model) * bytesPerWeight;
  const resident = residentBytes <= residentLimit;
  const largestLayer = largestLayerWeights(model);
  // Large heads go through the heap a block of outputs at a time.
  const headPart = model.head.inputs * Math.min(model.head.outputs, headBlockWidth);
  const largestPart = Math.max(largestLayer, headPart);
  const weightBytes = resident ? residentBytes : demand.copies * largestPart * bytesPerWeight;
  const heapBytes = weightBytes + activationBytes(model, demand);
  if (heapBytes <= heapLimit) return { resident, heapBytes };
  throw new InputError(
    `the model needs about ${gigabytes(heapBytes)} GB per worker at context ` +
      `${demand.contextLength}, more than the ${
        gigabytes(heapLimit)
      } GB of a WASM heap; choose a ` +
      "smaller context or model",
  );
}

/**
 * Throws {@linkcode InputError} if not even one layer's weights fit into a WASM heap, whatever is
 * done with the model: to be called before its weights are read.
 */
export function checkLayerMemory(model: TransformerDescription): void {
  const heapBytes = largestLayerWeights(model) * bytesPerWeight;
  if (heapBytes <= heapLimit) return;
  throw new InputError(
    `one layer of the model needs about ${gigabytes(heapBytes)} GB, more than the ` +
      `${gigabytes(heapLimit)} GB of a WASM heap; choose a smaller model`,
  );
}

/** Weights in the matrices of the largest layer. */
export function largestLayerWeights({ layers }: TransformerDescription): number {
  const weights = layers.map((layer) =>
    layerLinears(layer).reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0)
  );
  return greatest(weights);
}

/**
 * Throws {@linkcode InputError} if a model does not fit whole into a WASM heap, as it must to
 * write a text; `advice` says what to do instead.
 */
export function checkResidentMemory(model: TransformerDescription, advice: string): void {
  const heapBytes = countWeights(model) * bytesPerWeight;
  if (heapBytes <= heapLimit) return;
  throw new InputError(
    `the model needs about ${gigabytes(heapBytes)} GB to be run token by token, more than the ` +
      `${gigabytes(heapLimit)} GB of a WASM heap; ${advice}`,
  );
}

function countWeights(model: TransformerDescription): number {
  return [...expectedTensors(model).values()].reduce((sum, s) => sum + elementCount(s), 0);
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}

/** What one layer makes before it is freed, and a block of logits. */
function activationBytes(
  model: TransformerDescription,
  { batchTokens, contextLength, backward }: MemoryDemand,
): number {
  const { hiddenSize, layers } = model;
  const widest = greatest(
    layers.flatMap(layerLinears).map(({ inputs, outputs }) => Math.max(inputs, outputs)),
  );
  const perToken = backward
    ? (layers.length + 24) * hiddenSize + 16 * widest
    : 8 * hiddenSize + 6 * widest;
  const attention = (backward ? 8 : 4) * contextLength ** 2;
  return 4 * (batchTokens * perToken + attention + 2 * logitsBlockSize);
}
