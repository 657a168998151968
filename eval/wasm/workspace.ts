import { greatest } from "../../data/extremes.ts";
import type { RotaryDescription, TransformerDescription } from "../architectures/description.ts";
import { modelLinears } from "../weights/expected_tensors.ts";
import { rowStride } from "./store.ts";

/** Most tokens, of all sequences, that go through the layers together. */
export const PASS_TOKENS = 128;

/** Vectors that go through a matrix together: as many as stay in a core's cache. */
export const TILE = 16;

/** Addresses of what a pass works on; each row fills a multiple of 16 floats, zeros at its end. */
export interface Workspace {
  /** Token ids, 32 bits. */
  readonly ids: number;
  /** Rows of the residual stream. */
  readonly stream: Rows;
  /** Normalized rows, before the attention and before the feed-forward block. */
  readonly normed: readonly [Rows, Rows];
  /** Queries, keys and values, or all of them in the first. */
  readonly projected: readonly [Rows, Rows, Rows];
  /** What the attention gives, before its last product. */
  readonly attended: Rows;
  /** What up and gate give. */
  readonly inner: readonly [Rows, Rows];
  /** What attention or block give, where that is normalized before it is added. */
  readonly branch: Rows;
  /** What goes into the head, and its logits, for each sequence. */
  readonly states: readonly [Rows, Rows];
  readonly logits: Rows;
  /** For each rotation and position of the pass, cosines of its pairs and then their sines. */
  readonly rotations: readonly { readonly rotary: RotaryDescription; readonly tables: Rows }[];
  /** Which of the rotations a layer has; -1 if none. */
  readonly rotationOfLayer: readonly number[];
  /** Of each thread. */
  readonly scratch: readonly Scratch[];
}

/** Rows in memory. */
export interface Rows {
  readonly at: number;
  /** Bytes from a row to the next. */
  readonly bytes: number;
}

/** Room of a thread. */
export interface Scratch {
  /** A tile of vectors as floats, times the columns' factors. */
  readonly vectors: Rows;
  /** The same as integers, see `splitVector`. */
  readonly integers: Rows;
  /** A step for each. */
  readonly steps: number;
  /** Four rows of a matrix. */
  readonly panel: number;
  /** Scores of a query. */
  readonly scores: number;
}

/** Lays a workspace out, in memory that `reserve` gives. */
export function createWorkspace(
  model: TransformerDescription,
  sequences: number,
  threads: number,
  reserve: (bytes: number) => number,
): Workspace {
  const tokens = Math.max(PASS_TOKENS, sequences);
  const rowsOf = (count: number, width: number): Rows => {
    const bytes = 4 * rowStride(width);
    return { at: reserve(bytes * count), bytes };
  };
  const { hiddenSize, layers, head, contextLength } = model;
  const widest = (width: (layer: typeof layers[number]) => number) => greatest(layers.map(width));
  const hidden = (count = tokens) => rowsOf(count, hiddenSize);
  const roles = [0, 1, 2].map((role) =>
    rowsOf(
      tokens,
      widest(({ attention: { projection, heads, keyValueHeads, headSize } }) => {
        if (projection.kind === "joined") {
          return role === 0 ? (heads + 2 * keyValueHeads) * headSize : 0;
        }
        return (role === 0 ? heads : keyValueHeads) * headSize;
      }),
    )
  );
  const up = widest(({ feedForward: { up } }) => up.outputs);
  const texts = layers.map(({ attention: { rotary } }) => JSON.stringify(rotary ?? null));
  const distinct = [...new Set(texts)].filter((text) => text !== "null");
  const columns = rowStride(greatest(modelLinears(model).map(({ inputs }) => inputs)));
  return {
    ids: reserve(4 * tokens),
    stream: hidden(),
    normed: [hidden(), hidden()],
    projected: [roles[0]!, roles[1]!, roles[2]!],
    attended: rowsOf(tokens, widest(({ attention: { output } }) => output.inputs)),
    inner: [rowsOf(tokens, up), rowsOf(tokens, up)],
    branch: hidden(),
    states: [hidden(sequences), hidden(sequences)],
    logits: rowsOf(sequences, head.outputs),
    rotations: distinct.map((text) => {
      const rotary: RotaryDescription = JSON.parse(text);
      return { rotary, tables: rowsOf(tokens, rotary.dimensions) };
    }),
    rotationOfLayer: texts.map((text) => distinct.indexOf(text)),
    scratch: Array.from({ length: threads }, () => ({
      vectors: rowsOf(TILE, columns),
      integers: rowsOf(TILE, columns),
      steps: reserve(4 * TILE),
      panel: reserve(4 * 4 * columns),
      scores: reserve(4 * (contextLength + 4)),
    })),
  };
}
