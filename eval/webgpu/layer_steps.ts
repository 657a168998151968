import type {
  AttentionDescription,
  LayerDescription,
  RotaryDescription,
} from "../architectures/description.ts";
import { activationStep } from "./activation.ts";
import type { Device } from "./device.ts";
import type { LayerBuffers, LinearBuffers } from "./model_weights.ts";
import { normStep } from "./normalization.ts";
import { type Operand, productStep } from "./product.ts";
import type { Step } from "./program.ts";
import { placeHeadsStep } from "./rotation.ts";
import { softmaxStep } from "./softmax.ts";
import type { Workspace } from "./workspace.ts";

/** The sequences that go through a model at once. */
export interface Sequences {
  /** Number of sequences. */
  readonly batch: number;
  /** Tokens of each. */
  readonly length: number;
}

/** Finds the rotation's table on the device. */
export type RotationTables = (rotary: RotaryDescription) => GPUBuffer;

/** What goes through the layers, and where. */
export interface LayerRun {
  readonly device: Device;
  readonly workspace: Workspace;
  readonly sequences: Sequences;
  readonly tables: RotationTables;
}

/** The steps of one layer, which changes the states in the workspace. */
export function layerSteps(
  run: LayerRun,
  layer: LayerDescription,
  buffers: LayerBuffers,
): Step[] {
  const {
    device,
    workspace: { states, normed, projected, attended, inner, activated },
    sequences,
  } = run;
  const { attention, feedForward } = layer;
  const rows = sequences.batch * sequences.length;
  const linear = (
    { inputs, outputs, matrix, bias }: LinearBuffers,
    input: GPUBuffer,
    output: GPUBuffer,
    adds = false,
  ) =>
    productStep(device, {
      rows,
      columns: outputs,
      inner: inputs,
      left: { buffer: input, stride: inputs, layout: "alongInner" },
      right: matrix,
      result: { buffer: output, stride: outputs },
      bias,
      adds,
    });
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
    linear(buffers.projection, normed, projected),
    ...placeSteps(run, attention, buffers),
    ...attentionSteps(run, attention),
  ];
  const addAttended = linear(buffers.output, attended, states, true);
  const normInner = norm("feedForwardNorm");
  return [
    ...attend,
    ...(layer.residual === "sequential" ? [addAttended, normInner] : [normInner, addAttended]),
    linear(buffers.up, normed, inner),
    activationStep(device, {
      name: feedForward.activation,
      input: inner,
      output: activated,
      rows,
      size: feedForward.up.outputs,
      gated: feedForward.gate !== undefined,
    }),
    linear(buffers.down, activated, states, true),
  ];
}

/** Where the first head of a role begins in a token's projection, and features to the next. */
export interface HeadPlace {
  readonly start: number;
  readonly stride: number;
}

/** Places of queries, keys and values in what the projection gives. */
export function headPlaces(
  { projection, heads, keyValueHeads, headSize }: AttentionDescription,
): { query: HeadPlace; key: HeadPlace; value: HeadPlace; width: number } {
  const width = (heads + 2 * keyValueHeads) * headSize;
  const byHead = projection.kind === "joined" && projection.order === "byHead";
  const place = (before: number, role: number) => ({
    start: (byHead ? role : before) * headSize,
    stride: (byHead ? 3 : 1) * headSize,
  });
  return {
    query: place(0, 0),
    key: place(heads, 1),
    value: place(heads + keyValueHeads, 2),
    width,
  };
}

/** Normalizes and rotates queries and keys, where the model asks for it. */
function placeSteps(
  { device, workspace: { projected }, sequences: { batch, length }, tables }: LayerRun,
  attention: AttentionDescription,
  { queryNorm, keyNorm }: LayerBuffers,
): Step[] {
  const { rotary, heads, keyValueHeads, headSize } = attention;
  const { query, key, width } = headPlaces(attention);
  const roles = [
    { place: query, count: heads, norm: attention.queryNorm, vectors: queryNorm },
    { place: key, count: keyValueHeads, norm: attention.keyNorm, vectors: keyNorm },
  ];
  return roles.flatMap(({ place, count, norm, vectors }) =>
    rotary === undefined && norm === undefined ? [] : [placeHeadsStep(device, {
      states: projected,
      tokens: batch * length,
      width,
      length,
      headSize,
      heads: count,
      ...place,
      rotary: rotary && { dimensions: rotary.dimensions, table: tables(rotary) },
      norm: norm && { weight: vectors!.weight, epsilon: norm.epsilon },
    })]
  );
}

/** Attention of all heads: as many at once as there is room for their shares. */
function attentionSteps(
  { device, workspace, sequences: { batch, length } }: LayerRun,
  attention: AttentionDescription,
): Step[] {
  const { heads, keyValueHeads, headSize, scale, slidingWindow: window } = attention;
  const { query, key, value, width } = headPlaces(attention);
  const group = heads / keyValueHeads;
  const stride = Math.ceil(length / 4) * 4;
  const { projected, attended, shares, sharesAtOnce } = workspace;
  const operand = ({ start, stride: perHead }: HeadPlace, group = 1): Operand => ({
    buffer: projected,
    stride: width,
    start,
    perSequence: length * width,
    perHead,
    group,
  });
  const matrixShares = { buffer: shares, stride, perMatrix: length * stride };
  const steps: Step[] = [];
  for (let firstMatrix = 0; firstMatrix < batch * heads; firstMatrix += sharesAtOnce(length)) {
    const matrices = Math.min(sharesAtOnce(length), batch * heads - firstMatrix);
    const common = { rows: length, matrices, firstMatrix, heads, window };
    steps.push(
      productStep(device, {
        ...common,
        columns: length,
        inner: headSize,
        left: { ...operand(query), layout: "alongInner" },
        right: { ...operand(key, group), layout: "alongInner" },
        result: matrixShares,
        factor: scale,
        skips: "above",
      }),
      softmaxStep(device, { scores: shares, matrices, length, stride, window }),
      productStep(device, {
        ...common,
        columns: headSize,
        inner: length,
        left: { ...matrixShares, layout: "alongInner" },
        right: { ...operand(value, group), layout: "alongResult" },
        result: {
          buffer: attended,
          stride: heads * headSize,
          perSequence: length * heads * headSize,
          perHead: headSize,
        },
        skips: "leftAbove",
      }),
    );
  }
  return steps;
}
