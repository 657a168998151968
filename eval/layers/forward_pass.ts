import * as tf from "@tensorflow/tfjs";
import type { RotaryDescription } from "../architectures/description.ts";
import type { ParameterStore } from "../weights/parameter_store.ts";
import { type RotaryTables, rotaryTables } from "./rotary.ts";
import type { Tap } from "./tap.ts";

/** What all layers share while one batch goes through the model. */
export interface ForwardPass {
  /** The weights. */
  readonly parameters: ParameterStore;
  /** Number of sequences. */
  readonly batch: number;
  /** Tokens of each sequence. */
  readonly length: number;
  /** Position of the first token: the number of tokens in the cache. */
  readonly start: number;
  /** Whether tokens attend only to themselves and those before them. */
  readonly causal: boolean;
  /** Looks at the linear layers, where given. */
  readonly tap?: Tap;
  /** Rotation tables for the positions of this pass. */
  rotaryTables(rotary: RotaryDescription, headSize: number): RotaryTables;
  /** `[length, start + length]`: 0 where a token may attend and a very negative number elsewhere;
   * undefined where every token may attend to all. */
  mask(slidingWindow?: number): tf.Tensor2D | undefined;
  /** Frees the tables and masks. */
  dispose(): void;
}

/** What goes through the model in one pass. */
export interface PassOptions {
  /** Number of sequences. */
  readonly batch: number;
  /** Tokens of each sequence. */
  readonly length: number;
  /** Position of the first token; 0 if omitted. */
  readonly start?: number;
  /** Whether tokens attend only to themselves and those before them; true if omitted. */
  readonly causal?: boolean;
  /** Looks at the linear layers. */
  readonly tap?: Tap | undefined;
}

/** Begins a pass over `batch` sequences of `length` tokens. */
export function beginPass(
  parameters: ParameterStore,
  { batch, length, start = 0, causal = true, tap }: PassOptions,
): ForwardPass {
  const tables = new Map<string, RotaryTables>();
  const masks = new Map<number, tf.Tensor2D>();
  return {
    parameters,
    batch,
    length,
    start,
    causal,
    ...(tap !== undefined && { tap }),
    rotaryTables(rotary, headSize) {
      const key = JSON.stringify([rotary, headSize]);
      const known = tables.get(key);
      if (known !== undefined) return known;
      const made = rotaryTables(rotary, headSize, start, length);
      for (const table of [made.cosine, made.sine, made.swap]) tf.keep(table);
      tables.set(key, made);
      return made;
    },
    mask(slidingWindow = Infinity) {
      if (!causal || (length === 1 && start + 1 <= slidingWindow)) return undefined;
      const known = masks.get(slidingWindow);
      if (known !== undefined) return known;
      const made = tf.keep(causalMask(start, length, slidingWindow));
      masks.set(slidingWindow, made);
      return made;
    },
    dispose() {
      for (const { cosine, sine, swap } of tables.values()) tf.dispose([cosine, sine, swap]);
      tf.dispose([...masks.values()]);
    },
  };
}

/** Large enough that its exponential vanishes, small enough that sums of it stay finite. */
const masked = -1e9;

function causalMask(start: number, length: number, slidingWindow: number): tf.Tensor2D {
  const columns = start + length;
  const values = new Float32Array(length * columns).fill(masked);
  for (let row = 0; row < length; row++) {
    const last = start + row;
    const first = Math.max(0, last + 1 - slidingWindow);
    values.fill(0, row * columns + first, row * columns + last + 1);
  }
  return tf.tensor2d(values, [length, columns]);
}
