import type { TransformerDescription } from "../architectures/description.ts";
import type { Device } from "./device.ts";
import { hasBranches, normsProjected, widestState } from "./supported.ts";
import type { Workspace } from "./workspace.ts";

/** Buffers of backward passes, beside those of forward passes. */
export interface GradientWorkspace {
  /** The states before each layer and after the last, `[tokens, hiddenSize]` each. */
  readonly saved: readonly GPUBuffer[];
  /** The gradient by the residual stream, `[tokens, hiddenSize]`. */
  readonly gradient: GPUBuffer;
  /** The gradient by what the attention's norm, or the last one, gave. */
  readonly attentionNormGradient: GPUBuffer;
  /** The gradient by what the feed-forward block's norm gave. */
  readonly feedForwardNormGradient: GPUBuffer;
  /** The gradient by what the heads gave. */
  readonly attendedGradient: GPUBuffer;
  /** The gradient by what the projection gave. */
  readonly projectedGradient: GPUBuffer;
  /** What the projection gave, before heads were normalized, where they are. */
  readonly projectedBefore?: GPUBuffer;
  /** The gradient by the shares of attention. */
  readonly sharesGradient: GPUBuffer;
  /** Scores of attention before they are capped, where they are. */
  readonly scores?: GPUBuffer;
  /** The gradient by what a block gave before it was normalized or scaled, where that is done. */
  readonly branchGradient?: GPUBuffer;
  /** The gradient by what went into down. */
  readonly activatedGradient: GPUBuffer;
  /** Room for the states or gradients of some layers' tokens, with each row weighed. */
  readonly weighed: GPUBuffer;
  /** A number for each token. */
  readonly energies: GPUBuffer;
}

/** Allocates room for backward passes over as many tokens as `workspace` has. */
export function makeGradientWorkspace(
  device: Device,
  model: TransformerDescription,
  workspace: Workspace,
): GradientWorkspace {
  const { tokens } = workspace;
  const { hiddenSize, layers } = model;
  const states = () => device.allocate(4 * tokens * hiddenSize);
  const like = (buffer: GPUBuffer) => device.allocate(buffer.size);
  const normsHeads = layers.some(({ attention }) => normsProjected(attention));
  return {
    saved: Array.from({ length: layers.length + 1 }, states),
    gradient: states(),
    attentionNormGradient: states(),
    feedForwardNormGradient: states(),
    attendedGradient: like(workspace.attended),
    projectedGradient: like(workspace.projected),
    ...(normsHeads && { projectedBefore: like(workspace.projected) }),
    sharesGradient: like(workspace.shares),
    ...(layers.some(({ attention }) => attention.softCap !== undefined) && {
      scores: like(workspace.shares),
    }),
    ...(hasBranches(model) && { branchGradient: states() }),
    activatedGradient: like(workspace.activated),
    weighed: device.allocate(4 * tokens * widestState(model)),
    energies: device.allocate(4 * tokens),
  };
}
