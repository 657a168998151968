import { greatest } from "../../data/extremes.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import type { Device } from "./device.ts";
import { makeWorkspace, type Workspace } from "./workspace.ts";

/** Most bytes of the scores of tokens that see others before them. */
export const scoreBytes = 2 ** 26;

/** Buffers for passes of up to some tokens. */
export interface PassBuffers {
  readonly workspace: Workspace;
  /** Longest sequence whose attention can be a product of squares. */
  readonly length: number;
  /** Scores of tokens that see others before them, `[tokens, heads, capacity]`. */
  readonly scores: GPUBuffer;
  /** Numbers of the tokens. */
  readonly ids: GPUBuffer;
  /** Number of each sequence's last token. */
  readonly picked: GPUBuffer;
  /** What goes into the head. */
  readonly hidden: GPUBuffer;
  readonly logits: GPUBuffer;
  /** Where the next tokens are drawn, and which they are. */
  readonly draws: GPUBuffer;
  readonly labels: GPUBuffer;
  /** What drawing leaves beside them. */
  readonly energies: GPUBuffer;
}

/** Which {@linkcode PassBuffers} are wanted. */
export interface PassSizes {
  /** Tokens of all sequences. */
  readonly tokens: number;
  /** Sequences. */
  readonly batch: number;
  /** As in {@linkcode PassBuffers}. */
  readonly length: number;
  /** Tokens of a sequence that the caches have room for. */
  readonly capacity: number;
  /** Values from a sequence's logits to the next's. */
  readonly logitStride: number;
}

/** Allocates buffers for passes. */
export function makePassBuffers(
  device: Device,
  model: TransformerDescription,
  { tokens, batch, length, capacity, logitStride }: PassSizes,
): PassBuffers {
  const { layers, hiddenSize } = model;
  const heads = greatest(layers.map(({ attention }) => attention.heads));
  const later = Math.min(tokens, Math.max(1, Math.floor(scoreBytes / 4 / heads / capacity)));
  return {
    workspace: makeWorkspace(device, model, tokens, Math.max(1, length)),
    length,
    scores: device.allocate(4 * Math.max(batch, later) * heads * capacity),
    ids: device.allocate(4 * tokens),
    picked: device.allocate(4 * batch),
    hidden: device.allocate(4 * batch * hiddenSize),
    logits: device.allocate(4 * batch * logitStride),
    draws: device.allocate(4 * batch),
    labels: device.allocate(4 * batch),
    energies: device.allocate(4 * batch),
  };
}
