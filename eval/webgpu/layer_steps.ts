import type { LayerDescription } from "../architectures/description.ts";
import { activationStep } from "./activation.ts";
import { attentionSteps, placeSteps } from "./attention_steps.ts";
import type { LayerRun } from "./layer_run.ts";
import { linearStep } from "./linear_steps.ts";
import type { LayerBuffers, LinearBuffers } from "./model_weights.ts";
import { normStep } from "./normalization.ts";
import { isGated } from "./supported.ts";
import type { Step } from "./program.ts";

/** The steps of one layer, which changes the states in the workspace. */
export function layerSteps(
  run: LayerRun,
  layer: LayerDescription,
  buffers: LayerBuffers,
  look?: LookAtInput,
): Step[] {
  const { workspace: { states, activated }, sequences: { batch, length } } = run;
  return [
    ...stepsBeforeDown(run, layer, buffers, look),
    linearStep(run.device, {
      linear: buffers.down,
      rows: batch * length,
      input: activated,
      output: states,
      adds: true,
    }),
  ];
}

/** Linear layers with the same inputs. */
export type LinearGroup = "projection" | "output" | "up" | "down";

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
  const linear = (linear: LinearBuffers, input: GPUBuffer, output: GPUBuffer, adds = false) =>
    linearStep(device, { linear, rows, input, output, adds });
  const norm = (which: "attentionNorm" | "feedForwardNorm") =>
    normStep(device, {
      norm: layer[which],
      vectors: buffers[which],
      input: states,
      output: normed,
      rows,
    });
  const attend = [
    norm("attentionNorm"),
    ...look("projection", normed),
    linear(buffers.projection, normed, projected),
    ...placeSteps(run, attention, buffers),
    ...attentionSteps(run, attention),
  ];
  const addAttended = linear(buffers.output, attended, states, true);
  const normInner = norm("feedForwardNorm");
  return [
    ...attend,
    ...look("output", attended),
    ...(layer.residual === "sequential" ? [addAttended, normInner] : [normInner, addAttended]),
    ...look("up", normed),
    linear(buffers.up, normed, inner),
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
