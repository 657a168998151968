import type { OnnxGraph, OnnxValue } from "../../data/onnx/onnx_model.ts";
import { buildGraph, type GraphBuilder } from "../onnx/graph_builder.ts";

/** Columns of a second moment that are computed together, from the diagonal down. */
export interface MomentColumns {
  /** First column, and first row. */
  readonly start: number;
  /** Number of columns. */
  readonly width: number;
}

/**
 * Columns of a stripe, about: narrow enough to skip most of what lies above the diagonal, wide enough
 * for fast products.
 */
const stripeWidth = 256;

/** Stripes that cover the lower triangle of a square matrix. */
export function momentColumns(size: number): MomentColumns[] {
  const count = Math.max(1, Math.round(size / stripeWidth));
  return Array.from({ length: count }, (_, part) => {
    const start = Math.floor(part * size / count);
    return { start, width: Math.floor((part + 1) * size / count) - start };
  });
}

/** Name of the output that holds a stripe of a moment, `[size - start, width]`. */
export function stripeName(moment: string, { start }: MomentColumns): string {
  return `${moment} from ${start}`;
}

/** Adds the stripes of Xᵀ X for `[rows, size]`; gives them as outputs of the graph. */
export function addMoment(
  graph: GraphBuilder,
  moment: string,
  x: string,
  size: number,
): OnnxValue[] {
  // Rows of the transpose lie together, as products want them.
  const turned = graph.apply("Transpose", [x], { perm: { integers: [1, 0] } });
  const rows = (start: number, end: number) =>
    start === 0 && end === size ? turned : graph.apply("Slice", [
      turned,
      graph.integers(start),
      graph.integers(end),
      graph.integers(0),
    ]);
  return momentColumns(size).map((columns) => {
    const { start, width } = columns;
    const name = stripeName(moment, columns);
    const below = rows(start, size);
    graph.applyAs(name, "Gemm", [below, rows(start, start + width)], { transB: { integer: 1 } });
    return { name, type: "float32", shape: [size - start, width] };
  });
}

/** Columns of a matrix of `size` columns, from `start` to before `end`. */
export function sliceColumns(
  graph: GraphBuilder,
  x: string,
  { start, end, size }: { readonly start: number; readonly end: number; readonly size: number },
): string {
  if (start === 0 && end === size) return x;
  return graph.apply("Slice", [x, graph.integers(start), graph.integers(end), graph.integers(1)]);
}

/** The graph that gives the stripes of Xᵀ X, named as of `moment`, for `[rows, size]` called `x`. */
export function momentGraph(moment: string, size: number): OnnxGraph {
  const graph = buildGraph(new Map());
  const outputs = addMoment(graph, moment, "x", size);
  const inputs: OnnxValue[] = [{ name: "x", type: "float32", shape: ["rows", size] }];
  return { inputs, outputs, ...graph.finish() };
}
