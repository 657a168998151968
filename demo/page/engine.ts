import type { WeightTensor } from "../../data/tensor.ts";
import type { GenerationOptions } from "../../eval/generation/generate.ts";
import type { RowColumnFactors } from "../../hierarchy/matrix/coded_matrix.ts";

/** What writes: a model, ready to go on with token ids. The page knows no more of what computes. */
export interface Engine {
  /** Where it computes, for people, such as `WASM`. */
  readonly name: string;
  /** Why it does not compute where it was asked to; absent where it does. */
  readonly note?: string;
  /** Tokens that the model knows. */
  readonly vocabularySize: number;
  /** Bytes of the weights that it holds. */
  readonly memoryBytes: number;
  /** Continues a prompt token by token, without end or up to one that ends texts. */
  generate(prompt: Int32Array, options: GenerationOptions): AsyncIterable<number>;
}

/** Takes a model's weights as they are decoded, and starts it. */
export interface EngineBuilder {
  /** Takes a tensor, and the factors of the whole numbers that it is coded as, if it is. */
  put(name: string, tensor: WeightTensor, factors?: RowColumnFactors): void;
  /**
   * Starts the model, once all tensors are there: throws an `InputError` where its weights do not fit
   * it. Where WebGPU fails, WASM takes its place and says so.
   */
  start(): Promise<Engine>;
}
