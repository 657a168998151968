import * as tf from "@tensorflow/tfjs";
import { readValues } from "../compute/backend.ts";
import { KeyValueCache } from "../layers/key_value_cache.ts";
import type { TokenRunner } from "../model/token_runner.ts";

/** What tfjs runs: a model's passes, see `LanguageModel`. */
export interface TfjsPasses {
  /** Number of layers. */
  readonly layers: number;
  /** Rows that the head is applied to, `[sequences * length, hiddenSize]`. */
  hiddenStates(ids: Int32Array, sequences: number, cache: KeyValueCache): tf.Tensor2D;
  /** Logits of such rows. */
  head(hidden: tf.Tensor2D): tf.Tensor2D;
}

/** Reads sequences with tfjs, on its current backend. */
export class TfjsRunner implements TokenRunner {
  readonly #passes: TfjsPasses;
  readonly #cache: KeyValueCache;

  /** Sequences without tokens. */
  constructor(passes: TfjsPasses) {
    this.#passes = passes;
    this.#cache = new KeyValueCache(passes.layers);
  }

  get length(): number {
    return this.#cache.length;
  }

  async run(ids: Int32Array, sequences: number): Promise<Float32Array> {
    const hidden = this.#passes.hiddenStates(ids, sequences, this.#cache);
    const length = ids.length / sequences;
    const last = tf.tidy(() => {
      if (length === 1) return hidden.clone();
      const rows = Int32Array.from({ length: sequences }, (_, i) => (i + 1) * length - 1);
      return tf.gather(hidden, tf.tensor1d(rows, "int32")) as tf.Tensor2D;
    });
    const logits = this.#passes.head(last);
    const values = await readValues(logits);
    tf.dispose([hidden, last, logits]);
    return values;
  }

  reset(): void {
    this.#cache.dispose();
  }

  dispose(): void {
    this.#cache.dispose();
  }
}
