import type { ActivationName } from "../architectures/activation_names.ts";
import type { FeedForwardDescription, NormDescription } from "../architectures/description.ts";
import type { GraphBuilder } from "./graph_builder.ts";
import { linear } from "./matrix_products.ts";

/** `x` times a factor; without one, `x` itself. */
export function scale(graph: GraphBuilder, x: string, factor: number | undefined): string {
  return factor === undefined ? x : graph.apply("Mul", [x, graph.float(factor)]);
}

/** `cap * tanh(x / cap)`; without a cap, `x` itself. */
export function softCap(graph: GraphBuilder, x: string, cap: number | undefined): string {
  if (cap === undefined) return x;
  const bounded = graph.apply("Tanh", [graph.apply("Div", [x, graph.float(cap)])]);
  return graph.apply("Mul", [bounded, graph.float(cap)]);
}

/** Layer or root-mean-square normalization along the last axis. */
export function normalize(graph: GraphBuilder, norm: NormDescription, x: string): string {
  const weight = norm.weightOffset === undefined
    ? graph.weight(norm.weight)
    : graph.apply("Add", [graph.weight(norm.weight), graph.float(norm.weightOffset)]);
  if (norm.kind === "layerNorm") {
    const inputs = [x, weight, ...(norm.bias === undefined ? [] : [graph.weight(norm.bias)])];
    return graph.apply("LayerNormalization", inputs, {
      axis: { integer: -1 },
      epsilon: { float: norm.epsilon },
    });
  }
  const square = graph.apply("Mul", [x, x]);
  const mean = graph.apply("ReduceMean", [square, graph.integers(-1)]);
  const root = graph.apply("Sqrt", [graph.apply("Add", [mean, graph.float(norm.epsilon)])]);
  return graph.apply("Mul", [graph.apply("Div", [x, root]), weight]);
}

/** down(act(up(x))), or down(act(gate(x)) * up(x)) where there is a gate. */
export function feedForward(
  graph: GraphBuilder,
  { activation, up, gate, joinedGate, down }: FeedForwardDescription,
  x: string,
): string {
  if (joinedGate) {
    const halves = { axis: { integer: -1 }, num_outputs: { integer: 2 } };
    const [first, second] = graph.applyMany("Split", [linear(graph, up, x)], 2, halves);
    const gated = activate(graph, activation, first!);
    return linear(graph, down, graph.apply("Mul", [gated, second!]));
  }
  if (gate === undefined) {
    return linear(graph, down, activate(graph, activation, linear(graph, up, x)));
  }
  const gated = activate(graph, activation, linear(graph, gate, x));
  return linear(graph, down, graph.apply("Mul", [gated, linear(graph, up, x)]));
}

/** Applies an activation function of those that configs may name. */
export function activate(graph: GraphBuilder, name: ActivationName, x: string): string {
  switch (name) {
    case "gelu":
      return graph.apply("Gelu", [x]);
    case "gelu_fast":
    case "gelu_new":
    case "gelu_pytorch_tanh":
      return graph.apply("Gelu", [x], { approximate: { text: "tanh" } });
    case "quick_gelu": {
      const scaled = graph.apply("Mul", [x, graph.float(1.702)]);
      return graph.apply("Mul", [x, graph.apply("Sigmoid", [scaled])]);
    }
    case "relu":
      return graph.apply("Relu", [x]);
    case "silu":
    case "swish":
      return graph.apply("Mul", [x, graph.apply("Sigmoid", [x])]);
  }
}
