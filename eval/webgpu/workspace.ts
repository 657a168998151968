import { greatest } from "../../data/extremes.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import type { Device } from "./device.ts";
import { hasBranches, innerWidth, widestState } from "./supported.ts";

/** Buffers that all layers and models use in turn. */
export interface Workspace {
  /** Most tokens that go through a layer at once. */
  readonly tokens: number;
  /** The residual stream, `[tokens, hiddenSize]`. */
  readonly states: GPUBuffer;
  /** States after a norm. */
  readonly normed: GPUBuffer;
  /** Queries, keys and values, `[tokens, (heads + 2 * keyValueHeads) * headSize]`. */
  readonly projected: GPUBuffer;
  /** What the heads give, `[tokens, heads * headSize]`. */
  readonly attended: GPUBuffer;
  /** What up, or gate and up, give. */
  readonly inner: GPUBuffer;
  /** What goes into down. */
  readonly activated: GPUBuffer;
  /** What a block gives before it is normalized or scaled, where that is done: see `hasBranches`. */
  readonly branch?: GPUBuffer;
  /** Shares of attention of some heads, each `[length, length]`. */
  readonly shares: GPUBuffer;
  /** How many heads that is. */
  readonly sharesAtOnce: (length: number) => number;
  /** Frees everything. */
  destroy(): void;
}

/** Most bytes of the shares of attention. */
const shareBytes = 2 ** 29;
/** About how many bytes the states of a job may take. */
const stateBytes = 2 ** 30;
/** Tokens of a job that keep every core of a large card busy. */
const mostTokens = 16384;

/** Tokens that go through a model at once, unless one sequence is longer. */
export function tokensPerJob(
  model: TransformerDescription,
  { largestBinding }: Pick<Device, "largestBinding">,
): number {
  const widest = 4 * widestState(model);
  const fitting = Math.min(largestBinding / widest, stateBytes / (3 * widest));
  return Math.max(1, Math.min(mostTokens, Math.floor(fitting)));
}

/**
 * Tokens that go forward and back through a model at once, unless one sequence is longer: the states
 * before every layer are kept.
 */
export function tokensPerBackwardJob(
  model: TransformerDescription,
  device: Pick<Device, "largestBinding">,
): number {
  const kept = 4 * (model.layers.length * model.hiddenSize + 4 * widestState(model));
  const fitting = Math.min(tokensPerJob(model, device), mostTokens / 2, 2 * stateBytes / kept);
  return Math.max(1, Math.floor(fitting));
}

/** Allocates room for sequences of up to `length` tokens, `tokens` in all. */
export function makeWorkspace(
  device: Device,
  model: TransformerDescription,
  tokens: number,
  length: number,
): Workspace {
  const { hiddenSize, layers } = model;
  const most = (count: (layer: typeof layers[number]) => number) =>
    device.allocate(4 * tokens * greatest(layers.map(count)));
  const square = (length: number) => 4 * length * Math.ceil(length / 4) * 4;
  const heads = greatest(layers.map(({ attention }) => attention.heads));
  const bytes = Math.max(
    square(length),
    Math.min(shareBytes, device.largestBinding, tokens / length * heads * square(length)),
  );
  const buffers = {
    states: device.allocate(4 * tokens * hiddenSize),
    normed: device.allocate(4 * tokens * hiddenSize),
    projected: most(({ attention: { heads, keyValueHeads, headSize } }) =>
      (heads + 2 * keyValueHeads) * headSize
    ),
    attended: most(({ attention: { heads, headSize } }) => heads * headSize),
    inner: most(({ feedForward }) => innerWidth(feedForward)),
    activated: most(({ feedForward: { down } }) => down.inputs),
    shares: device.allocate(bytes),
    ...(hasBranches(model) && { branch: device.allocate(4 * tokens * hiddenSize) }),
  };
  return {
    tokens,
    ...buffers,
    sharesAtOnce: (length) => Math.min(65535, Math.floor(bytes / square(length))),
    destroy: () => Object.values(buffers).forEach((buffer) => buffer.destroy()),
  };
}
