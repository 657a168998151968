import type { BackendName, ProtocolName } from "../../eval/mod.ts";

/** Options of how a model is measured. */
export interface MeasureOptions {
  /** Files with texts to measure on, one after another; the embedded text if omitted. */
  readonly text?: readonly string[];
  /** Measure again with each part of the model as it was. */
  readonly byPart?: true;
  /** At most this many tokens of a text. */
  readonly tokens?: number;
  /** How the text is cut up and what of it counts. */
  readonly protocol?: ProtocolName;
  /** Tokens in a chunk. */
  readonly context?: number;
  /** Tokens from one window's beginning to the next, where they overlap. */
  readonly stride?: number;
  /** How many workers measure side by side. */
  readonly threads: number;
  /** What runs the models. */
  readonly backend: BackendName;
  /** One JSON object on stdout instead of text for people. */
  readonly json?: true;
}
