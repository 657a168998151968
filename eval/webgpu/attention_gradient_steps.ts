import type { AttentionDescription } from "../architectures/description.ts";
import {
  type HeadPlace,
  headPlaces,
  partNorms,
  rolePlacements,
  scoreProductStep,
  scoreSteps,
} from "./attention_steps.ts";
import { softCapGradientStep } from "./elementwise.ts";
import type { GradientWorkspace } from "./gradient_workspace.ts";
import type { LayerRun } from "./layer_run.ts";
import type { LayerBuffers } from "./model_weights.ts";
import { partNormGradientStep } from "./part_norm.ts";
import { type Operand, productStep } from "./product.ts";
import type { Step } from "./program.ts";
import { placeHeadsGradientStep } from "./rotation.ts";
import { softmaxGradientStep } from "./softmax.ts";
import type { VisitNorms } from "./visit_norms.ts";

/**
 * The gradient of the attention by queries, keys and values as the projection gave them, given that by
 * what the heads gave. With S = Q Kᵀ, P = softmax(S), O = P V: dP = dO Vᵀ,
 * dS = P ∘ (dP - rowsum(P ∘ dP)), dQ = dS K, dK = dSᵀ Q, dV = Pᵀ dO. Where S is capped, its gradient
 * is that of the cap times this.
 */
export function attentionGradientSteps(
  run: LayerRun,
  gradients: GradientWorkspace,
  attention: AttentionDescription,
): Step[] {
  const { device, workspace, sequences: { batch, length } } = run;
  const { projected, shares } = workspace;
  const { attendedGradient, projectedGradient, sharesGradient, scores } = gradients;
  const { heads, keyValueHeads, headSize, scale, softCap, slidingWindow: window } = attention;
  const { query, key, value, width } = headPlaces(attention);
  const group = heads / keyValueHeads;
  const stride = Math.ceil(length / 4) * 4;
  const operand = (
    buffer: GPUBuffer,
    { start, stride: perHead }: HeadPlace,
    { group = 1, every = 1, member = 0 } = {},
  ): Operand => ({
    buffer,
    stride: width,
    start: start + member * perHead,
    perSequence: length * width,
    perHead: every * perHead,
    group,
  });
  const ofHeads = ({ every = 1, member = 0 } = {}): Operand => ({
    buffer: attendedGradient,
    stride: heads * headSize,
    start: member * headSize,
    perSequence: length * heads * headSize,
    perHead: every * headSize,
  });
  const squares = (buffer: GPUBuffer, { every = 1, member = 0 } = {}): Operand => ({
    buffer,
    stride,
    start: member * length * stride,
    perMatrix: every * length * stride,
  });
  const steps: Step[] = [];
  // Query heads that share a key are in the same group, so that their gradients can be summed.
  const atOnce = Math.floor(workspace.sharesAtOnce(length) / group) * group;
  for (let firstMatrix = 0; firstMatrix < batch * heads; firstMatrix += atOnce) {
    const matrices = Math.min(atOnce, batch * heads - firstMatrix);
    const common = { rows: length, window };
    const byHead = { ...common, matrices, firstMatrix, heads };
    const byKey = {
      ...common,
      matrices: matrices / group,
      firstMatrix: firstMatrix / group,
      heads: keyValueHeads,
    };
    steps.push(
      ...scoreSteps(run, attention, firstMatrix, matrices),
      productStep(device, {
        ...byHead,
        columns: length,
        inner: headSize,
        left: { ...ofHeads(), layout: "alongInner" },
        right: { ...operand(projected, value, { group }), layout: "alongInner" },
        result: squares(sharesGradient),
        skips: "above",
      }),
      softmaxGradientStep(device, {
        scores: shares,
        gradient: sharesGradient,
        matrices,
        length,
        stride,
        window,
      }),
      ...(softCap === undefined || scores === undefined ? [] : [
        scoreProductStep(run, attention, firstMatrix, matrices, scores),
        softCapGradientStep(device, scores, sharesGradient, matrices * length * stride, softCap),
      ]),
      productStep(device, {
        ...byHead,
        columns: headSize,
        inner: length,
        left: { ...squares(sharesGradient), layout: "alongInner" },
        right: { ...operand(projected, key, { group }), layout: "alongResult" },
        result: operand(projectedGradient, query),
        factor: scale,
        skips: "leftAbove",
      }),
    );
    for (let member = 0; member < group; member++) {
      const which = { every: group, member };
      const common = { ...byKey, columns: headSize, inner: length, adds: member > 0 };
      steps.push(
        productStep(device, {
          ...common,
          left: { ...squares(sharesGradient, which), layout: "alongResult" },
          right: { ...operand(projected, query, which), layout: "alongResult" },
          result: operand(projectedGradient, key),
          factor: scale,
          skips: "leftBelow",
        }),
        productStep(device, {
          ...common,
          left: { ...squares(shares, which), layout: "alongResult" },
          right: { ...ofHeads(which), layout: "alongResult" },
          result: operand(projectedGradient, value),
          skips: "leftBelow",
        }),
      );
    }
  }
  return steps;
}

/** The gradient of placing queries and keys, in place. */
export function placeGradientSteps(
  run: LayerRun,
  { projectedGradient, projectedBefore }: GradientWorkspace,
  attention: AttentionDescription,
  buffers: LayerBuffers,
  visitNorms?: VisitNorms,
): Step[] {
  const { device } = run;
  const rows = run.sequences.batch * run.sequences.length;
  const products = visitNorms && { products: visitNorms.products };
  return [
    ...rolePlacements(run, attention, buffers).flatMap((placement) => [
      placeHeadsGradientStep(device, {
        ...placement,
        ...products,
        states: projectedGradient,
        ...(projectedBefore !== undefined && { before: projectedBefore }),
      }),
      ...placement.norm === undefined ? [] : visitNorms?.parts(
        placement.norm.which,
        rows * placement.heads,
        placement.headSize,
      ) ?? [],
    ]),
    ...partNorms(run, attention, buffers).flatMap((norm) => [
      partNormGradientStep(device, {
        ...norm,
        ...products,
        states: projectedGradient,
        before: projectedBefore!,
      }),
      ...visitNorms?.parts(norm.which, rows, norm.size) ?? [],
    ]),
  ];
}
