import type { AttentionDescription } from "../architectures/description.ts";
import { softCapStep } from "./elementwise.ts";
import type { LayerRun } from "./layer_run.ts";
import type { LayerBuffers, NormName } from "./model_weights.ts";
import { type PartNormOptions, partNormStep } from "./part_norm.ts";
import { productStep } from "./product.ts";
import type { Step } from "./program.ts";
import { type PlaceHeadsOptions, placeHeadsStep } from "./rotation.ts";
import { softmaxStep } from "./softmax.ts";

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
export function placeSteps(
  run: LayerRun,
  attention: AttentionDescription,
  buffers: LayerBuffers,
): Step[] {
  return [
    ...partNorms(run, attention, buffers).map((norm) => partNormStep(run.device, norm)),
    ...rolePlacements(run, attention, buffers)
      .map((placement) => placeHeadsStep(run.device, placement)),
  ];
}

/** Which of a layer's norms it is. */
interface NormOfLayer {
  readonly which: NormName;
}

/** Norms of all queries and of all keys of a token, where there are some. */
export function partNorms(
  { workspace: { projected }, sequences: { batch, length } }: LayerRun,
  attention: AttentionDescription,
  { allQueriesNorm, allKeysNorm }: LayerBuffers,
): (PartNormOptions & NormOfLayer)[] {
  const { query, key, width } = headPlaces(attention);
  return [
    {
      which: "allQueriesNorm" as const,
      start: query.start,
      norm: attention.allQueriesNorm,
      vectors: allQueriesNorm,
    },
    {
      which: "allKeysNorm" as const,
      start: key.start,
      norm: attention.allKeysNorm,
      vectors: allKeysNorm,
    },
  ].flatMap(({ which, start, norm, vectors }) =>
    norm === undefined ? [] : [{
      which,
      states: projected,
      rows: batch * length,
      stride: width,
      start,
      size: norm.size,
      weight: vectors!.weight,
      epsilon: norm.epsilon,
    }]
  );
}

/** How queries and keys are placed; nothing where they are left as they are. */
export function rolePlacements(
  { workspace: { projected }, sequences: { batch, length }, tables }: LayerRun,
  attention: AttentionDescription,
  { queryNorm, keyNorm }: LayerBuffers,
): (PlaceHeadsOptions & { readonly norm?: NormOfLayer | undefined })[] {
  const { rotary, heads, keyValueHeads, headSize } = attention;
  const { query, key, width } = headPlaces(attention);
  const roles = [
    {
      which: "queryNorm" as const,
      place: query,
      count: heads,
      norm: attention.queryNorm,
      vectors: queryNorm,
    },
    {
      which: "keyNorm" as const,
      place: key,
      count: keyValueHeads,
      norm: attention.keyNorm,
      vectors: keyNorm,
    },
  ];
  return roles.flatMap(({ which, place, count, norm, vectors }) =>
    rotary === undefined && norm === undefined ? [] : [{
      states: projected,
      tokens: batch * length,
      width,
      length,
      headSize,
      heads: count,
      ...place,
      rotary: rotary && { dimensions: rotary.dimensions, table: tables(rotary, length) },
      norm: norm && { which, weight: vectors!.weight, epsilon: norm.epsilon },
    }]
  );
}

/** Attention of all heads: as many at once as there is room for their shares. */
export function attentionSteps(run: LayerRun, attention: AttentionDescription): Step[] {
  const { device, workspace, sequences: { batch, length } } = run;
  const { heads, keyValueHeads, headSize, slidingWindow: window } = attention;
  const { value, width } = headPlaces(attention);
  const stride = Math.ceil(length / 4) * 4;
  const atOnce = workspace.sharesAtOnce(length);
  const steps: Step[] = [];
  for (let firstMatrix = 0; firstMatrix < batch * heads; firstMatrix += atOnce) {
    const matrices = Math.min(atOnce, batch * heads - firstMatrix);
    steps.push(
      ...scoreSteps(run, attention, firstMatrix, matrices),
      productStep(device, {
        rows: length,
        columns: headSize,
        inner: length,
        left: {
          buffer: workspace.shares,
          stride,
          perMatrix: length * stride,
          layout: "alongInner",
        },
        right: {
          buffer: workspace.projected,
          stride: width,
          start: value.start,
          perSequence: length * width,
          perHead: value.stride,
          group: heads / keyValueHeads,
          layout: "alongResult",
        },
        result: {
          buffer: workspace.attended,
          stride: heads * headSize,
          perSequence: length * heads * headSize,
          perHead: headSize,
        },
        skips: "leftAbove",
        matrices,
        firstMatrix,
        heads,
        window,
      }),
    );
  }
  return steps;
}

/** Shares of attention of some heads, counted through all sequences. */
export function scoreSteps(
  run: LayerRun,
  attention: AttentionDescription,
  firstMatrix: number,
  matrices: number,
): Step[] {
  const { device, workspace: { shares }, sequences: { length } } = run;
  const { softCap, slidingWindow: window } = attention;
  const stride = Math.ceil(length / 4) * 4;
  const size = matrices * length * stride;
  return [
    scoreProductStep(run, attention, firstMatrix, matrices, shares),
    ...(softCap === undefined ? [] : [softCapStep(device, shares, size, softCap)]),
    softmaxStep(device, { scores: shares, matrices, length, stride, window }),
  ];
}

/** Scaled products of queries and keys. */
export function scoreProductStep(
  { device, workspace: { projected }, sequences: { length } }: LayerRun,
  attention: AttentionDescription,
  firstMatrix: number,
  matrices: number,
  scores: GPUBuffer,
): Step {
  const { heads, keyValueHeads, headSize, scale, slidingWindow: window } = attention;
  const { query, key, width } = headPlaces(attention);
  const stride = Math.ceil(length / 4) * 4;
  const operand = ({ start, stride: perHead }: HeadPlace, group: number) => ({
    buffer: projected,
    stride: width,
    start,
    perSequence: length * width,
    perHead,
    group,
    layout: "alongInner" as const,
  });
  return productStep(device, {
    rows: length,
    columns: length,
    inner: headSize,
    left: operand(query, 1),
    right: operand(key, heads / keyValueHeads),
    result: { buffer: scores, stride, perMatrix: length * stride },
    factor: scale,
    skips: "above",
    matrices,
    firstMatrix,
    heads,
    window,
  });
}
