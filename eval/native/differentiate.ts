import { InputError } from "../../data/input_error.ts";
import type { OnnxNode, OnnxValue } from "../../data/onnx/onnx_model.ts";
import type { GraphBuilder } from "../onnx/graph_builder.ts";
import { inferShapes, type ValueShapes } from "./value_shapes.ts";

/** Which value is differentiated by which. */
export interface DifferentiateOptions {
  /** What the graph is given. */
  readonly inputs: readonly OnnxValue[];
  /** The value whose gradient is known. */
  readonly output: string;
  /** Name of that gradient, of the same shape. */
  readonly outputGradient: string;
  /** The values that gradients are traced back to. */
  readonly by: readonly string[];
}

/**
 * Adds to a graph the nodes that compute gradients, from the last node back to the first. Gives the
 * name of the gradient by each value between those and `output`. Throws {@linkcode InputError}
 * with the operator's name if there is no rule for it.
 */
export function differentiate(
  graph: GraphBuilder,
  { inputs, output, outputGradient, by }: DifferentiateOptions,
): ReadonlyMap<string, string> {
  const { nodes: present, tensors } = graph.finish();
  const nodes = [...present];
  const shapes = inferShapes({ inputs, tensors, nodes });
  const dependent = new Set(by);
  for (const { inputs, outputs } of nodes) {
    if (inputs.some((name) => dependent.has(name))) outputs.forEach((name) => dependent.add(name));
  }
  const gradients = new Map([[output, outputGradient]]);
  for (const node of nodes.toReversed()) {
    const given = node.outputs.map((name) => gradients.get(name));
    if (given.every((gradient) => gradient === undefined)) continue;
    const wanted = node.inputs.map((name) => dependent.has(name));
    if (!wanted.includes(true)) continue;
    const rule = rules[node.operator];
    if (rule === undefined) {
      throw new InputError(`the backend native cannot differentiate the operator ${node.operator}`);
    }
    const found = rule({ graph, node, gradients: given, shapes, wanted });
    node.inputs.forEach((name, index) => {
      const part = found[index];
      if (!wanted[index] || part === undefined) return;
      const sum = gradients.get(name);
      gradients.set(name, sum === undefined ? part : graph.apply("Add", [sum, part]));
    });
  }
  return gradients;
}

/** A node, and the gradients by its outputs. */
interface Backward {
  readonly graph: GraphBuilder;
  readonly node: OnnxNode;
  readonly gradients: readonly (string | undefined)[];
  readonly shapes: ValueShapes;
  /** Of which inputs the gradient is wanted. */
  readonly wanted: readonly boolean[];
}

/** Adds what computes the gradients by a node's inputs, where they are wanted. */
type Rule = (backward: Backward) => readonly (string | undefined)[];

/** A rule for f(x) = y by its slope at x, given also y. */
function slope(of: (graph: GraphBuilder, x: string, y: string, node: OnnxNode) => string): Rule {
  return ({ graph, node, gradients: [gradient] }) => {
    const derivative = of(graph, node.inputs[0]!, node.outputs[0]!, node);
    return [graph.apply("Mul", [gradient!, derivative])];
  };
}

/** Sums a gradient over the axes along which an input was shared. */
function toShapeOf(
  { graph, node, shapes, wanted }: Backward,
  index: number,
  gradient: () => string,
): string | undefined {
  if (!wanted[index]) return undefined;
  const [input, output] = [node.inputs[index]!, node.outputs[0]!];
  const missing = shapes.rank(output) - shapes.rank(input);
  if (missing > 0) return sumLeading(graph, gradient(), missing);
  const kept = shapes.unitAxes(output);
  const axes = shapes.unitAxes(input).filter((axis) => !kept.includes(axis));
  if (axes.length === 0) return gradient();
  return graph.apply("ReduceSum", [gradient(), graph.integers(...axes)]);
}

/** Sums over the first `count` axes, which are gone then. */
function sumLeading(graph: GraphBuilder, x: string, count: number): string {
  const axes = graph.integers(...Array.from({ length: count }, (_, axis) => axis));
  return graph.apply("ReduceSum", [x, axes], { keepdims: { integer: 0 } });
}

/** A rule for an operator of two inputs, element by element. */
function both(
  of: (
    graph: GraphBuilder,
    values: { readonly a: string; readonly b: string; readonly y: string; readonly dy: string },
  ) => readonly [() => string, () => string],
): Rule {
  return (backward) => {
    const { graph, node: { inputs: [a, b], outputs: [y] }, gradients: [dy] } = backward;
    return of(graph, { a: a!, b: b!, y: y!, dy: dy! })
      .map((gradient, index) => toShapeOf(backward, index, gradient));
  };
}

/** The last two axes change places. */
function turn(graph: GraphBuilder, x: string, rank: number): string {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  const integers = [...axes.slice(0, -2), rank - 1, rank - 2];
  return graph.apply("Transpose", [x], { perm: { integers } });
}

const rules: Readonly<Record<string, Rule>> = {
  Add: both((_, { dy }) => [() => dy, () => dy]),
  Sub: both((graph, { dy }) => [() => dy, () => graph.apply("Neg", [dy])]),
  Mul: both((graph, { a, b, dy }) => [
    () => graph.apply("Mul", [dy, b]),
    () => graph.apply("Mul", [dy, a]),
  ]),
  Div: both((graph, { b, y, dy }) => [
    () => graph.apply("Div", [dy, b]),
    () => graph.apply("Neg", [graph.apply("Div", [graph.apply("Mul", [dy, y]), b])]),
  ]),
  Sqrt: slope((graph, _, y) => graph.apply("Div", [graph.float(0.5), y])),
  Sigmoid: slope((graph, _, y) => graph.apply("Mul", [y, graph.apply("Sub", [graph.float(1), y])])),
  Tanh: slope((graph, _, y) => graph.apply("Sub", [graph.float(1), graph.apply("Mul", [y, y])])),
  Relu: slope((graph, x) =>
    graph.apply("Cast", [graph.apply("Greater", [x, graph.float(0)])], { to: { integer: 1 } })
  ),
  Gelu: slope((graph, x, _, { attributes }) =>
    "approximate" in attributes ? geluTanhSlope(graph, x) : geluSlope(graph, x)
  ),
  ReduceMean({ graph, node: { inputs: [x] }, gradients: [dy] }) {
    const shape = graph.apply("Shape", [x!]);
    const last = graph.apply("Shape", [x!], { start: { integer: -1 } });
    const size = graph.apply("Cast", [last], { to: { integer: 1 } });
    return [graph.apply("Expand", [graph.apply("Div", [dy!, size]), shape])];
  },
  Gemm({ graph, node: { inputs, attributes }, gradients: [dy], wanted }) {
    if (wanted[2] || "transA" in attributes) {
      throw new InputError("the backend native differentiates products by their two sides only");
    }
    const [x, matrix] = inputs as [string, string];
    const { integer: turned = 0 } = (attributes["transB"] ?? {}) as { integer?: number };
    const bySide = [
      () => graph.apply("Gemm", [dy!, matrix], { transB: { integer: 1 - turned } }),
      () => graph.apply("Gemm", turned ? [dy!, x] : [x, dy!], { transA: { integer: 1 } }),
    ];
    return bySide.map((gradient, side) => wanted[side] ? gradient() : undefined);
  },
  MatMul(backward) {
    const { graph, node: { inputs: [a, b], outputs: [y] }, gradients: [dy], shapes } = backward;
    const rank = shapes.rank(y!);
    return [
      toShapeOf(backward, 0, () => graph.apply("MatMul", [dy!, turn(graph, b!, rank)])),
      toShapeOf(backward, 1, () => graph.apply("MatMul", [turn(graph, a!, rank), dy!])),
    ];
  },
  Reshape: ({ graph, node: { inputs: [x] }, gradients: [dy] }) => [
    graph.apply("Reshape", [dy!, graph.apply("Shape", [x!])]),
  ],
  Transpose({ graph, node: { attributes }, gradients: [dy] }) {
    const { integers } = attributes["perm"] as { integers: readonly number[] };
    const back = integers.map((_, axis) => integers.indexOf(axis));
    return [graph.apply("Transpose", [dy!], { perm: { integers: back } })];
  },
  Unsqueeze: ({ graph, node: { inputs: [, axes] }, gradients: [dy] }) => [
    graph.apply("Squeeze", [dy!, axes!]),
  ],
  // Scores and their floor, at which the gradient is nothing in float32.
  Max: ({ gradients: [dy] }) => [dy, undefined],
  ReduceMax: () => [undefined],
  Softmax({ graph, node: { outputs: [y] }, gradients: [dy] }) {
    const product = graph.apply("Mul", [dy!, y!]);
    const sum = graph.apply("ReduceSum", [product, graph.integers(-1)]);
    return [graph.apply("Sub", [product, graph.apply("Mul", [y!, sum])])];
  },
  Split({ graph, node: { outputs, attributes }, gradients }) {
    const parts = outputs.map((name, index) =>
      gradients[index] ?? graph.apply("Mul", [name, graph.float(0)])
    );
    return [graph.apply("Concat", parts, { axis: attributes["axis"]! })];
  },
  Concat({ graph, node: { inputs, attributes }, gradients: [dy], shapes }) {
    const { integer } = attributes["axis"] as { integer: number };
    const axis = integer < 0 ? integer + shapes.rank(inputs[0]!) : integer;
    const range = { start: { integer: axis }, end: { integer: axis + 1 } };
    const sizes = inputs.map((name) => graph.apply("Shape", [name], range));
    const all = graph.apply("Concat", sizes, { axis: { integer: 0 } });
    return graph.applyMany("Split", [dy!, all], inputs.length, { axis: { integer: axis } });
  },
  LayerNormalization({ graph, node, gradients: [dy], shapes, wanted }) {
    const { inputs: [x, scale], attributes } = node;
    const mean = (x: string) => graph.apply("ReduceMean", [x, graph.integers(-1)]);
    const multiply = (a: string, b: string) => graph.apply("Mul", [a, b]);
    const { float } = attributes["epsilon"] as { float: number };
    const centred = graph.apply("Sub", [x!, mean(x!)]);
    const variance = graph.apply("Add", [mean(multiply(centred, centred)), graph.float(float)]);
    const root = graph.apply("Sqrt", [variance]);
    const normalized = graph.apply("Div", [centred, root]);
    const scaled = multiply(dy!, scale!);
    const along = multiply(normalized, mean(multiply(scaled, normalized)));
    const rest = graph.apply("Sub", [graph.apply("Sub", [scaled, mean(scaled)]), along]);
    const leading = shapes.rank(x!) - 1;
    return [
      graph.apply("Div", [rest, root]),
      wanted[1] ? sumLeading(graph, multiply(dy!, normalized), leading) : undefined,
      wanted[2] ? sumLeading(graph, dy!, leading) : undefined,
    ];
  },
};

/** Φ(x) + x φ(x) with the standard normal distribution. */
function geluSlope(graph: GraphBuilder, x: string): string {
  const multiply = (a: string, b: number) => graph.apply("Mul", [a, graph.float(b)]);
  const error = graph.apply("Erf", [multiply(x, Math.SQRT1_2)]);
  const share = graph.apply("Add", [multiply(error, 0.5), graph.float(0.5)]);
  const density = graph.apply("Exp", [multiply(graph.apply("Mul", [x, x]), -0.5)]);
  const weighted = graph.apply("Mul", [x, multiply(density, 1 / Math.sqrt(2 * Math.PI))]);
  return graph.apply("Add", [share, weighted]);
}

/** The slope of x σ(2u) with u = √(2/π) (x + 0.044715 x³): σ + 2 x u' σ (1 - σ). */
function geluTanhSlope(graph: GraphBuilder, x: string): string {
  const multiply = (a: string, b: number) => graph.apply("Mul", [a, graph.float(b)]);
  const add = (a: string, b: number) => graph.apply("Add", [a, graph.float(b)]);
  const factor = 2 * Math.sqrt(2 / Math.PI);
  const square = graph.apply("Mul", [x, x]);
  const inner = graph.apply("Mul", [x, add(multiply(square, factor * 0.044715), factor)]);
  const share = graph.apply("Sigmoid", [inner]);
  const spread = graph.apply("Mul", [share, graph.apply("Sub", [graph.float(1), share])]);
  const innerSlope = add(multiply(square, 3 * factor * 0.044715), factor);
  const weighted = graph.apply("Mul", [graph.apply("Mul", [x, innerSlope]), spread]);
  return graph.apply("Add", [share, weighted]);
}
