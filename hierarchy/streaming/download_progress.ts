import type { TensorInfo } from "../../data/tensor.ts";

/** How far a model is that is decoded while it downloads. */
export interface DownloadProgress {
  /** Bytes that have arrived. */
  readonly bytes: number;
  /** Bytes of the file. */
  readonly totalBytes: number;
  /** Tensors that are decoded. */
  readonly tensors: number;
  /** Tensors of the model, tied ones too. */
  readonly totalTensors: number;
  /** Layers all of whose tensors are decoded. */
  readonly layers: number;
  /** Layers of the model. */
  readonly totalLayers: number;
}

/** Counts the tensors and layers of a model as they are decoded. */
export class TensorCount {
  /** Tensors so far. */
  tensors = 0;
  /** Complete layers so far. */
  layers = 0;
  /** All tensors. */
  readonly totalTensors: number;
  /** All layers. */
  readonly totalLayers: number;
  readonly #missing = new Map<string, number>();

  /** Nothing so far, of all these tensors. */
  constructor(all: readonly Pick<TensorInfo, "name">[]) {
    this.totalTensors = all.length;
    for (const { name } of all) {
      const layer = layerOf(name);
      if (layer !== undefined) this.#missing.set(layer, (this.#missing.get(layer) ?? 0) + 1);
    }
    this.totalLayers = this.#missing.size;
  }

  /** Counts a tensor. */
  add(name: string): void {
    this.tensors++;
    const layer = layerOf(name);
    if (layer === undefined) return;
    const missing = this.#missing.get(layer)! - 1;
    this.#missing.set(layer, missing);
    if (missing === 0) this.layers++;
  }
}

/** What the tensors of a layer have in common: their names up to the first number between dots. */
function layerOf(name: string): string | undefined {
  return /^(?:[^.]*\.)*?\d+(?=\.)/.exec(name)?.[0];
}
