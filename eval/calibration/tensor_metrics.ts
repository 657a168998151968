import type { TensorMetric, TensorMetrics } from "../../hierarchy/metric/tensor_metric.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import type { Calibration } from "./calibration.ts";
import { expectedFrequencies } from "./expected_frequencies.ts";

/**
 * What errors in each matrix of a model cost, from its calibration: for a linear layer the second
 * moment of its inputs and the Fisher information of its outputs. The row of an embedding counts as
 * often as its token occurs and by the gradients by the embedded features; a tied head adds
 * its own cost, of which one product of a row and a column part is kept. A position counts as often
 * as any other within the calibrated context. `predictedShare`, 0 to 1, of the embedding counts by
 * how often the model predicts a token and not by how often it came; estimated if omitted.
 */
export function tensorMetrics(
  model: TransformerDescription,
  calibration: Calibration,
  { predictedShare }: { readonly predictedShare?: number } = {},
): TensorMetrics {
  // Taken over as they are: a Hessian is expanded from its triangle when it is asked for.
  const metrics = new Map<string, TensorMetric>(calibration.linears);
  const { tokenEmbedding, embeddingScale: scale = 1, positionEmbedding } = model;
  const { embeddingMoment, tokenFrequencies, tokens } = calibration;
  const predicted = calibration.linears.get(model.head.weight)?.fisher;
  if (embeddingMoment === undefined) return metrics;
  const embedding: TensorMetric = {
    inputAxis: 1,
    hessian: scale === 1 ? embeddingMoment : embeddingMoment.map((value) => scale * scale * value),
    fisher: expectedFrequencies(tokenFrequencies, predicted, tokens, predictedShare),
    tokens,
  };
  const head = metrics.get(tokenEmbedding);
  metrics.set(tokenEmbedding, head === undefined ? embedding : sumOfMetrics(head, embedding));
  if (positionEmbedding !== undefined) {
    const { contextLength } = calibration;
    const offset = model.positionOffset ?? 0;
    const fisher = new Float64Array(offset + model.contextLength)
      .fill(1 / contextLength, offset, offset + contextLength);
    metrics.set(positionEmbedding, { inputAxis: 1, hessian: embeddingMoment, fisher, tokens });
  }
  return metrics;
}

/**
 * One metric for errors that cost in two ways. The cost of row v is f_v H + g_v G; it is replaced by
 * the product of a row weight, its trace, with the sum over all rows.
 */
function sumOfMetrics(a: TensorMetric, b: TensorMetric): TensorMetric {
  const rows = b.fisher!.length;
  const weights = [a, b].map(({ hessian, fisher }) => ({
    hessian,
    fisher: fisher ?? new Float64Array(rows).fill(1),
    trace: trace(hessian),
  }));
  const hessian = new Float64Array(a.hessian.length);
  const fisher = new Float64Array(rows);
  let total = 0;
  for (const part of weights) {
    const sum = part.fisher.reduce((partial, value) => partial + value, 0);
    for (let i = 0; i < hessian.length; i++) hessian[i] = hessian[i]! + sum * part.hessian[i]!;
    for (let v = 0; v < rows; v++) fisher[v] = fisher[v]! + part.fisher[v]! * part.trace;
    total += sum * part.trace;
  }
  // In a model of zeros no error costs anything.
  const { tokens } = b;
  const common = { inputAxis: 1 as const, hessian, ...(tokens !== undefined && { tokens }) };
  return { ...common, fisher: total > 0 ? fisher.map((v) => v / total) : fisher };
}

function trace(matrix: Float64Array): number {
  const size = Math.sqrt(matrix.length);
  let sum = 0;
  for (let i = 0; i < size; i++) sum += matrix[i * (size + 1)]!;
  return sum;
}
