import type { BackendName, ProtocolName } from "../../eval/mod.ts";

/** Options of how a model is measured. */
export interface MeasureOptions {
  /** File with the text to measure on; the embedded text if omitted. */
  readonly text?: string;
  /** At most this many tokens of the text. */
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
