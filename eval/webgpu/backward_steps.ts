import type { LayerDescription } from "../architectures/description.ts";
import { activationGradientStep } from "./activation.ts";
import { attentionGradientSteps, placeGradientSteps } from "./attention_gradient_steps.ts";
import type { GradientWorkspace } from "./gradient_workspace.ts";
import type { LayerRun } from "./layer_run.ts";
import { type LinearGroup, stepsBeforeDown } from "./layer_steps.ts";
import { linearGradientStep, linearStep } from "./linear_steps.ts";
import type { LayerBuffers, LinearBuffers } from "./model_weights.ts";
import { normGradientStep } from "./norm_gradient.ts";
import { normStep } from "./normalization.ts";
import { isGated } from "./supported.ts";
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
): Step[] {
  const { device, workspace, sequences: { batch, length } } = run;
  const { states, normed, projected, attended, inner, activated } = workspace;
  const { gradient, attentionNormGradient, feedForwardNormGradient, activatedGradient } = gradients;
  const { attendedGradient, projectedGradient, projectedBefore } = gradients;
  const before = gradients.saved[index]!;
  const rows = batch * length;
  const { attention, feedForward } = layer;
  const back = (linear: LinearBuffers, input: GPUBuffer, output: GPUBuffer) =>
    linearGradientStep(device, { linear, rows, input, output });
  const addThroughNorm = (
    which: "attentionNorm" | "feedForwardNorm",
    input: GPUBuffer,
    gradientThere: GPUBuffer,
  ) =>
    normGradientStep(device, {
      norm: layer[which],
      vectors: buffers[which],
      input,
      gradient: gradientThere,
      sum: gradient,
      rows,
    });
  const parallel = layer.residual === "parallel";
  const throughFeedForward = addThroughNorm(
    "feedForwardNorm",
    parallel ? before : states,
    feedForwardNormGradient,
  );
  return [
    { source: before, target: states, bytes: 4 * rows * layer.attentionNorm.size },
    ...stepsBeforeDown(run, layer, buffers),
    ...visit("down", activated, gradient),
    back(buffers.down, gradient, activatedGradient),
    activationGradientStep(device, {
      name: feedForward.activation,
      input: inner,
      gradient: activatedGradient,
      rows,
      size: feedForward.down.inputs,
      gated: isGated(feedForward),
    }),
    ...visit("up", normed, inner),
    back(buffers.up, inner, feedForwardNormGradient),
    ...(parallel ? [] : [throughFeedForward]),
    ...visit("output", attended, gradient),
    back(buffers.output, gradient, attendedGradient),
    ...attentionGradientSteps(run, gradients, attention),
    normStep(device, {
      norm: layer.attentionNorm,
      vectors: buffers.attentionNorm,
      input: before,
      output: normed,
      rows,
    }),
    ...(attention.queryNorm === undefined && attention.keyNorm === undefined
      ? []
      : [linearStep(device, {
        linear: buffers.projection,
        rows,
        input: normed,
        output: projectedBefore ?? projected,
      })]),
    ...placeGradientSteps(run, gradients, attention, buffers),
    ...visit("projection", normed, projectedGradient),
    back(buffers.projection, projectedGradient, attentionNormGradient),
    ...(parallel ? [throughFeedForward] : []),
    addThroughNorm("attentionNorm", before, attentionNormGradient),
  ];
}
