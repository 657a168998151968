import type { OnnxGraph, OnnxValue } from "../../data/onnx/onnx_model.ts";
import type { NormDescription, TransformerDescription } from "../architectures/description.ts";
import { activate, normalize, scale, softCap } from "../onnx/blocks.ts";
import { buildGraph, type GraphBuilder } from "../onnx/graph_builder.ts";
import { linear } from "../onnx/matrix_products.ts";
import { differentiate } from "./differentiate.ts";
import { partTensors } from "./layer_graphs.ts";

/** Names of what the head's graphs are given and give. */
export const headValues = {
  /** Rows of states, `[rows, hiddenSize]`. */
  states: "states",
  gradient: "gradient",
  result: "result",
  /** Of each model: what goes into the head's product, and some outputs of its matrix. */
  hidden: (model: number) => `hidden ${model}`,
  weight: (model: number) => `weight ${model}`,
  bias: (model: number) => `bias ${model}`,
  /** Of each row: the number of the output that is to be looked up, within these outputs. */
  labels: "labels",
  /** Of each model and row: the largest logit, its number, and the label's. */
  largest: (model: number) => `largest ${model}`,
  top: (model: number) => `top ${model}`,
  label: (model: number) => `label ${model}`,
  /** Of each model and row: Σ exp(logit - largest) over runs of {@linkcode runLength} outputs. */
  sums: (model: number) => `sums ${model}`,
  /** Of each row: Σ exp(a - largest a) (a - b) over the logits a and b of both models. */
  difference: "difference",
  /** Of each row: log Σ exp over all logits. */
  logSum: "log sum",
  /** p W for these outputs, `[rows, hiddenSize]`, each p times the slope of its logit. */
  product: "product",
  /** Σ p (1 - p), times squared slopes of logits, over rows, and over these outputs. */
  fisher: "fisher",
  energy: "energy",
  /** Sums of p over runs of {@linkcode runLength} outputs. */
  runs: "runs",
} as const;

/**
 * Outputs of the head over which sums are in float32; those are added up in float64, without which
 * small divergences were lost in the rounding.
 */
export const runLength = 32;

/** A value of float32 numbers. */
export function float(name: string, ...shape: (number | string)[]): OnnxValue {
  return { name, type: "float32", shape };
}

/** A graph's builder, whose weights are inputs of the graph. */
export function build(): GraphBuilder {
  return { ...buildGraph(new Map()), weight: (name) => name };
}

/** A norm; its tensors are called by their places in this. */
export interface NormPart {
  readonly norm: NormDescription;
}

/** Normalizes rows of states. */
export function normGraph({ norm }: NormPart): OnnxGraph {
  const graph = build();
  const { states, result } = headValues;
  graph.applyAs(result, "Identity", [normalize(graph, norm, states)]);
  return {
    inputs: [float(states, "rows", norm.size), ...partTensors({ norm })],
    outputs: [float(result, "rows", norm.size)],
    ...graph.finish(),
  };
}

/** The gradient by the states before a norm, given that after it. */
export function normGradientGraph({ norm }: NormPart): OnnxGraph {
  const graph = build();
  const { states, gradient, result } = headValues;
  const inputs = [
    float(states, "rows", norm.size),
    float(gradient, "rows", norm.size),
    ...partTensors({ norm }),
  ];
  const output = normalize(graph, norm, states);
  const how = { inputs, output, outputGradient: gradient, by: [states] };
  graph.applyAs(result, "Identity", [differentiate(graph, how).get(states)!]);
  return { inputs, outputs: [float(result, "rows", norm.size)], ...graph.finish() };
}

/** What a head does before its product, where it does something. */
export function headTransformGraph(
  transform: NonNullable<TransformerDescription["headTransform"]>,
): OnnxGraph {
  const graph = build();
  const { states, result } = headValues;
  const activated = activate(
    graph,
    transform.activation,
    linear(graph, transform.linear, states),
  );
  const { norm } = transform;
  const after = norm === undefined ? activated : normalize(graph, norm, activated);
  graph.applyAs(result, "Identity", [after]);
  return {
    inputs: [float(states, "rows", transform.linear.inputs), ...partTensors(transform)],
    outputs: [float(result, "rows", transform.linear.outputs)],
    ...graph.finish(),
  };
}

/** What heads differ in, beside their sizes. */
export interface HeadSettings {
  readonly hasBias: boolean;
  readonly logitScale: number | undefined;
  readonly logitSoftCap: number | undefined;
}

/** Logits of some outputs of the head. */
export function logitsOf(
  graph: GraphBuilder,
  model: number,
  { hasBias, logitScale, logitSoftCap }: HeadSettings,
): string {
  const { hidden, weight, bias } = headValues;
  const inputs = [hidden(model), weight(model), ...(hasBias ? [bias(model)] : [])];
  const product = graph.apply("Gemm", inputs, { transB: { integer: 1 } });
  return softCap(graph, scale(graph, product, logitScale), logitSoftCap);
}

/** `x` times the slope of the logits by the head's product. */
export function timesSlope(
  graph: GraphBuilder,
  x: string,
  logits: string,
  { logitScale, logitSoftCap }: HeadSettings,
): string {
  const scaled = scale(graph, x, logitScale);
  if (logitSoftCap === undefined) return scaled;
  const share = graph.apply("Div", [logits, graph.float(logitSoftCap)]);
  const square = graph.apply("Mul", [share, share]);
  return graph.apply("Mul", [scaled, graph.apply("Sub", [graph.float(1), square])]);
}

/** A head's inputs, for the graph's model of this number. */
export function headInputs(model: number, { hasBias }: HeadSettings): OnnxValue[] {
  const { hidden, weight, bias } = headValues;
  return [
    float(hidden(model), "rows", "hidden"),
    float(weight(model), "outputs", "hidden"),
    ...(hasBias ? [float(bias(model), "outputs")] : []),
  ];
}

/** Adds sums over runs of columns, `[rows, runs]`; gives how many runs there are. */
export function sumRuns(graph: GraphBuilder, name: string, x: string, columns: number): number {
  const count = Math.ceil(columns / runLength);
  const missing = count * runLength - columns;
  const padded = missing === 0 ? x : graph.apply("Pad", [x, graph.integers(0, 0, 0, missing)]);
  const byRun = graph.apply("Reshape", [padded, graph.integers(-1, count, runLength)]);
  graph.applyAs(name, "ReduceSum", [byRun, graph.integers(-1)], { keepdims: { integer: 0 } });
  return count;
}

/** Scores rows by some outputs, `width` of them, of the heads of one or two models. */
export function scoreGraph(models: number, width: number, settings: HeadSettings): OnnxGraph {
  const graph = build();
  const { labels, largest, top, sums, label, difference } = headValues;
  const outputs: OnnxValue[] = [];
  const last = graph.integers(-1);
  const found = Array.from({ length: models }, (_, model) => {
    const logits = logitsOf(graph, model, settings);
    graph.applyAs(largest(model), "ReduceMax", [logits, last]);
    graph.applyAs(top(model), "ArgMax", [logits], { axis: { integer: -1 } });
    const below = graph.apply("Sub", [logits, largest(model)]);
    const shares = graph.apply("Exp", [below]);
    const runs = sumRuns(graph, sums(model), shares, width);
    graph.applyAs(label(model), "GatherElements", [logits, labels], { axis: { integer: -1 } });
    outputs.push(
      float(largest(model), "rows", 1),
      { name: top(model), type: "int64", shape: ["rows", 1] },
      float(sums(model), "rows", runs),
      float(label(model), "rows", 1),
    );
    return { logits, shares };
  });
  const [first, second] = found;
  if (second !== undefined) {
    const apart = graph.apply("Sub", [first!.logits, second.logits]);
    graph.applyAs(difference, "ReduceSum", [graph.apply("Mul", [first!.shares, apart]), last]);
    outputs.push(float(difference, "rows", 1));
  }
  return {
    inputs: [
      ...found.flatMap((_, model) => headInputs(model, settings)),
      { name: labels, type: "int64", shape: ["rows", 1] },
    ],
    outputs,
    ...graph.finish(),
  };
}

/** What some outputs, `width` of them, have to do with the loss' gradient, given the log of all sums. */
export function lossGraph(width: number, settings: HeadSettings): OnnxGraph {
  const graph = build();
  const { weight, logSum, product, fisher, energy, runs } = headValues;
  const logits = logitsOf(graph, 0, settings);
  const shares = graph.apply("Exp", [graph.apply("Sub", [logits, logSum])]);
  graph.applyAs(product, "MatMul", [timesSlope(graph, shares, logits, settings), weight(0)]);
  const rest = graph.apply("Sub", [graph.float(1), shares]);
  const ofLogits = graph.apply("Mul", [shares, rest]);
  const once = timesSlope(graph, ofLogits, logits, settings);
  const variances = timesSlope(graph, once, logits, settings);
  const keepdims = { keepdims: { integer: 0 } };
  graph.applyAs(fisher, "ReduceSum", [variances, graph.integers(0)], keepdims);
  graph.applyAs(energy, "ReduceSum", [variances, graph.integers(1)], keepdims);
  const count = sumRuns(graph, runs, shares, width);
  return {
    inputs: [...headInputs(0, settings), float(logSum, "rows", 1)],
    outputs: [
      float(product, "rows", "hidden"),
      float(fisher, width),
      float(energy, "rows"),
      float(runs, "rows", count),
    ],
    ...graph.finish(),
  };
}
