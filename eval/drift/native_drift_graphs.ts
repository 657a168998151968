import type { OnnxGraph, OnnxValue } from "../../data/onnx/onnx_model.ts";
import type { LinearDescription } from "../architectures/description.ts";
import { buildGraph, type GraphBuilder } from "../onnx/graph_builder.ts";

/** `product` of `a` and `b`. */
export function productGraph(): OnnxGraph {
  const graph = buildGraph(new Map());
  graph.applyAs("product", "MatMul", ["a", "b"]);
  return {
    inputs: [matrix("a", "rows", "depth"), matrix("b", "depth", "columns")],
    outputs: [matrix("product", "rows", "columns")],
    ...graph.finish(),
  };
}

/** From `x` and `z`, `moment` = ZᵀZ and `missing` = Zᵀ(X - Z). */
export function driftGraph(size: number): OnnxGraph {
  const graph = buildGraph(new Map());
  applySums(graph, graph.apply("Sub", ["x", "z"]));
  return {
    inputs: [matrix("x", "rows", size), matrix("z", "rows", size)],
    outputs: [matrix("moment", size, size), matrix("missing", size, size)],
    ...graph.finish(),
  };
}

/** From `x`, `z`, the `weight` M and the `gap` D, `moment` = ZᵀZ and `missing` = Zᵀ((X - Z) M + D). */
export function writerGraph(linear: LinearDescription): OnnxGraph {
  const { inputs: size, outputs } = linear;
  const graph = buildGraph(new Map());
  const difference = graph.apply("Sub", ["x", "z"]);
  const missing = applyMatrix(graph, linear, difference, "weight");
  applySums(graph, graph.apply("Add", [missing, "gap"]));
  return {
    inputs: writerInputs(linear),
    outputs: [matrix("moment", size, size), matrix("missing", size, outputs)],
    ...graph.finish(),
  };
}

/** From `gap` D, `x`, `z`, and a map's `weight` M and what it is `coded` as, W, `after` = D + X M - Z W. */
export function gapGraph(linear: LinearDescription): OnnxGraph {
  const { outputs } = linear;
  const graph = buildGraph(new Map());
  const theirs = applyMatrix(graph, linear, "x", "weight");
  const ours = applyMatrix(graph, linear, "z", "coded");
  graph.applyAs("after", "Add", ["gap", graph.apply("Sub", [theirs, ours])]);
  return {
    inputs: [...writerInputs(linear), storedMatrix("coded", linear)],
    outputs: [matrix("after", "rows", outputs)],
    ...graph.finish(),
  };
}

/** What goes into a map that writes to the residual stream, its matrix, and what the stream misses. */
function writerInputs(linear: LinearDescription): OnnxValue[] {
  const { inputs, outputs } = linear;
  return [
    matrix("x", "rows", inputs),
    matrix("z", "rows", inputs),
    matrix("gap", "rows", outputs),
    storedMatrix("weight", linear),
  ];
}

/** Gives `moment` and `missing`, ZᵀY of what Y is called. */
function applySums(graph: GraphBuilder, y: string): void {
  // Rows of the transpose lie together, as products want them.
  const turned = graph.apply("Transpose", ["z"], { perm: { integers: [1, 0] } });
  graph.applyAs("moment", "MatMul", [turned, "z"]);
  graph.applyAs("missing", "MatMul", [turned, y]);
}

/** Rows times a matrix as it is stored. */
function applyMatrix(
  graph: GraphBuilder,
  { layout }: LinearDescription,
  rows: string,
  weight: string,
): string {
  const transB = { integer: layout === "outputsByInputs" ? 1 : 0 };
  return graph.apply("Gemm", [rows, weight], { transB });
}

function storedMatrix(name: string, { inputs, outputs, layout }: LinearDescription): OnnxValue {
  return layout === "outputsByInputs"
    ? matrix(name, outputs, inputs)
    : matrix(name, inputs, outputs);
}

function matrix(name: string, rows: number | string, columns: number | string): OnnxValue {
  return { name, type: "float32", shape: [rows, columns] };
}
