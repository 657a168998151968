import type {
  LayerDescription,
  LinearDescription,
  NormDescription,
} from "../architectures/description.ts";
import { activationStep } from "./activation.ts";
import { attentionSteps, placeSteps } from "./attention_steps.ts";
import type { LayerRun } from "./layer_run.ts";
import { linearSteps } from "./linear_steps.ts";
import { addScaledStep } from "./elementwise.ts";
import type { LayerBuffers, LinearBuffers, NormName } from "./model_weights.ts";
import { type NormBuffers, normStep } from "./normalization.ts";
import { isGated } from "./supported.ts";
import type { Step } from "./program.ts";

/** The steps of one layer, which changes the states in the workspace. */
export function layerSteps(
  run: LayerRun,
  layer: LayerDescription,
  buffers: LayerBuffers,
  look?: LookAtInput,
): Step[] {
  return [
    ...stepsBeforeDown(run, layer, buffers, look),
    ...addBranchSteps(run, feedForwardBranch(run, layer, buffers)),
  ];
}

/** The end of attention or feed-forward block: what is added to the states. */
export interface Branch {
  /** Its last product, and what goes into it. */
  readonly linear: LinearBuffers;
  readonly input: GPUBuffer;
  /** The norm of what that gives, if there is one. */
  readonly norm?: {
    readonly which: NormName;
    readonly norm: NormDescription;
    readonly vectors: NormBuffers;
  };
  /** Factor of it. */
  readonly scale: number;
}

/** Whether a layer has no norms before its blocks but after them. */
export function normsAfter({ residual }: LayerDescription): boolean {
  return residual === "outputNorm";
}

/** The end of a layer's attention. */
export function attentionBranch(
  { workspace }: LayerRun,
  layer: LayerDescription,
  buffers: LayerBuffers,
): Branch {
  const { residualScale: scale = 1 } = layer;
  const which: NormName = normsAfter(layer) ? "attentionNorm" : "attentionOutputNorm";
  const { [which]: norm } = layer;
  const { output, [which]: vectors } = buffers;
  const normed = norm && vectors && { norm: { which, norm, vectors } };
  return { linear: output, input: workspace.attended, scale, ...normed };
}

/** The end of a layer's feed-forward block. */
export function feedForwardBranch(
  { workspace }: LayerRun,
  layer: LayerDescription,
  buffers: LayerBuffers,
): Branch {
  const { residualScale: scale = 1 } = layer;
  const which: NormName = normsAfter(layer) ? "feedForwardNorm" : "feedForwardOutputNorm";
  const { [which]: norm } = layer;
  const { down, [which]: vectors } = buffers;
  const normed = norm && vectors && { norm: { which, norm, vectors } };
  return { linear: down, input: workspace.activated, scale, ...normed };
}

/** Adds a branch to the states. */
function addBranchSteps(
  { device, workspace: { states, normed, branch }, sequences: { batch, length } }: LayerRun,
  { linear, input, norm, scale }: Branch,
): Step[] {
  const rows = batch * length;
  if (branch === undefined || (norm === undefined && scale === 1)) {
    return linearSteps(device, { linear, rows, input, output: states, adds: true });
  }
  const size = rows * linear.outputs;
  return [
    ...linearSteps(device, { linear, rows, input, output: branch }),
    ...(norm === undefined ? [addScaledStep(device, branch, states, size, scale)] : [
      normStep(device, { ...norm, input: branch, output: normed, rows }),
      addScaledStep(device, normed, states, size, scale),
    ]),
  ];
}

/** Linear layers with the same inputs. */
export type LinearGroup = "projection" | "output" | "up" | "down";

/** The linear layers of a group, in the order in which their outputs stand beside each other. */
export function groupLinears(
  { attention: { projection, output }, feedForward: { gate, up, down } }: LayerDescription,
  group: LinearGroup,
): readonly LinearDescription[] {
  switch (group) {
    case "projection":
      return projection.kind === "joined"
        ? [projection.linear]
        : [projection.query, projection.key, projection.value];
    case "output":
      return [output];
    case "up":
      return gate === undefined ? [up] : [gate, up];
    case "down":
      return [down];
  }
}

/** Gives steps that look at what goes into some layers. */
export type LookAtInput = (group: LinearGroup, input: GPUBuffer) => readonly Step[];

/** The steps of one layer up to what goes into its last product. */
export function stepsBeforeDown(
  run: LayerRun,
  layer: LayerDescription,
  buffers: LayerBuffers,
  look: LookAtInput = () => [],
): Step[] {
  const {
    device,
    workspace: { states, normed, projected, attended, inner, activated },
    sequences,
  } = run;
  const { attention, feedForward } = layer;
  const rows = sequences.batch * sequences.length;
  const linear = (linear: LinearBuffers, input: GPUBuffer, output: GPUBuffer) =>
    linearSteps(device, { linear, rows, input, output });
  const input = normsAfter(layer) ? states : normed;
  const norm = (which: "attentionNorm" | "feedForwardNorm") =>
    normsAfter(layer) ? [] : [normStep(device, {
      norm: layer[which],
      vectors: buffers[which],
      input: states,
      output: normed,
      rows,
    })];
  const attend = [
    ...norm("attentionNorm"),
    ...look("projection", input),
    ...linear(buffers.projection, input, projected),
    ...placeSteps(run, attention, buffers),
    ...(run.attend ?? attentionSteps)(run, attention),
  ];
  const addAttended = addBranchSteps(run, attentionBranch(run, layer, buffers));
  const normInner = norm("feedForwardNorm");
  return [
    ...attend,
    ...look("output", attended),
    ...(layer.residual === "parallel"
      ? [...normInner, ...addAttended]
      : [...addAttended, ...normInner]),
    ...look("up", input),
    ...linear(buffers.up, input, inner),
    activationStep(device, {
      name: feedForward.activation,
      input: inner,
      output: activated,
      rows,
      size: feedForward.down.inputs,
      gated: isGated(feedForward),
    }),
    ...look("down", activated),
  ];
}
