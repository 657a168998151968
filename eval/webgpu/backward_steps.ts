import type { LayerDescription } from "../architectures/description.ts";
import { activationGradientStep } from "./activation.ts";
import { attentionGradientSteps, placeGradientSteps } from "./attention_gradient_steps.ts";
import type { GradientWorkspace } from "./gradient_workspace.ts";
import type { LayerRun } from "./layer_run.ts";
import { addScaledStep } from "./elementwise.ts";
import {
  attentionBranch,
  type Branch,
  feedForwardBranch,
  type LinearGroup,
  normsAfter,
  stepsBeforeDown,
} from "./layer_steps.ts";
import { linearGradientStep, linearSteps } from "./linear_steps.ts";
import type { LayerBuffers, LinearBuffers } from "./model_weights.ts";
import { normGradientStep } from "./norm_gradient.ts";
import type { VisitNorms } from "./visit_norms.ts";
import { normStep } from "./normalization.ts";
import { isGated, normsProjected } from "./supported.ts";
import type { Step } from "./program.ts";

/** Gives the steps that look at what goes into some layers and the gradient by what they gave. */
export type VisitLinears = (
  group: LinearGroup,
  input: GPUBuffer,
  outputGradient: GPUBuffer,
) => readonly Step[];

/**
 * The steps of one layer's backward pass: runs it again from the saved states before it, and turns
 * the gradient by its result into that by those states.
 */
export function backwardSteps(
  run: LayerRun,
  gradients: GradientWorkspace,
  layer: LayerDescription,
  index: number,
  buffers: LayerBuffers,
  visit: VisitLinears,
  visitNorms?: VisitNorms,
): Step[] {
  const { device, workspace, sequences: { batch, length } } = run;
  const { states, normed, projected, attended, inner, activated } = workspace;
  const { gradient, attentionNormGradient, feedForwardNormGradient, activatedGradient } = gradients;
  const { attendedGradient, projectedGradient, projectedBefore } = gradients;
  const before = gradients.saved[index]!;
  const rows = batch * length;
  const size = rows * layer.attentionNorm.size;
  const { attention, feedForward } = layer;
  const back = (linear: LinearBuffers, input: GPUBuffer, output: GPUBuffer) =>
    linearGradientStep(device, { linear, rows, input, output });
  const after = normsAfter(layer);
  const addThroughNorm = (
    which: "attentionNorm" | "feedForwardNorm",
    input: GPUBuffer,
    gradientThere: GPUBuffer,
  ) =>
    after ? [addScaledStep(device, gradientThere, gradient, size, 1)] : [
      ...visitNorms?.whole(which, layer[which], input, gradientThere) ?? [],
      normGradientStep(device, {
        norm: layer[which],
        vectors: buffers[which],
        input,
        gradient: gradientThere,
        sum: gradient,
        rows,
      }),
    ];
  const parallel = layer.residual === "parallel";
  const throughDown = branchGradientSteps(
    run,
    gradients,
    feedForwardBranch(run, layer, buffers),
    visitNorms,
  );
  const throughOutput = branchGradientSteps(
    run,
    gradients,
    attentionBranch(run, layer, buffers),
    visitNorms,
  );
  const throughFeedForward = addThroughNorm(
    "feedForwardNorm",
    parallel ? before : states,
    feedForwardNormGradient,
  );
  return [
    { source: before, target: states, bytes: 4 * size },
    ...stepsBeforeDown(run, layer, buffers),
    ...throughDown.steps,
    ...visit("down", activated, throughDown.gradient),
    back(buffers.down, throughDown.gradient, activatedGradient),
    activationGradientStep(device, {
      name: feedForward.activation,
      input: inner,
      gradient: activatedGradient,
      rows,
      size: feedForward.down.inputs,
      gated: isGated(feedForward),
    }),
    ...visit("up", after ? states : normed, inner),
    back(buffers.up, inner, feedForwardNormGradient),
    ...(parallel ? [] : throughFeedForward),
    ...throughOutput.steps,
    ...visit("output", attended, throughOutput.gradient),
    back(buffers.output, throughOutput.gradient, attendedGradient),
    ...attentionGradientSteps(run, gradients, attention),
    ...(after ? [] : [normStep(device, {
      norm: layer.attentionNorm,
      vectors: buffers.attentionNorm,
      input: before,
      output: normed,
      rows,
    })]),
    ...(normsProjected(attention)
      ? linearSteps(device, {
        linear: buffers.projection,
        rows,
        input: after ? before : normed,
        output: projectedBefore ?? projected,
      })
      : []),
    ...placeGradientSteps(run, gradients, attention, buffers, visitNorms),
    ...visit("projection", after ? before : normed, projectedGradient),
    back(buffers.projection, projectedGradient, attentionNormGradient),
    ...(parallel ? throughFeedForward : []),
    ...addThroughNorm("attentionNorm", before, attentionNormGradient),
  ];
}

/** The gradient by what a branch's product gave, and the steps that find it. */
function branchGradientSteps(
  { device, workspace: { branch }, sequences: { batch, length } }: LayerRun,
  { gradient, branchGradient }: GradientWorkspace,
  { linear, input, norm, scale }: Branch,
  visitNorms?: VisitNorms,
): { readonly steps: Step[]; readonly gradient: GPUBuffer } {
  const rows = batch * length;
  if (branch === undefined || branchGradient === undefined || (!norm && scale === 1)) {
    return { steps: [], gradient };
  }
  const size = rows * linear.outputs;
  const through = norm === undefined
    ? [addScaledStep(device, gradient, branchGradient, size, scale)]
    : [
      ...linearSteps(device, { linear, rows, input, output: branch }),
      ...visitNorms?.whole(norm.which, norm.norm, branch, gradient) ?? [],
      normGradientStep(device, { ...norm, input: branch, gradient, sum: branchGradient, rows }),
    ];
  return {
    steps: [{ target: branchGradient, bytes: 4 * size }, ...through],
    gradient: branchGradient,
  };
}
