import type { OnnxGraph, OnnxNode, OnnxValue } from "../../data/onnx/onnx_model.ts";
import type {
  LayerDescription,
  LinearDescription,
  NormDescription,
} from "../architectures/description.ts";
import type { SharedValues } from "../onnx/attention.ts";
import { buildGraph, type GraphBuilder } from "../onnx/graph_builder.ts";
import { applyLayer } from "../onnx/layer.ts";
import { COUNT_POWER, rowPowers } from "../layers/token_counts.ts";
import { layerLinears } from "../weights/expected_tensors.ts";
import { differentiate } from "./differentiate.ts";
import { addMoment, sliceColumns } from "./moment_graph.ts";

/** Whose second moments a graph gives; weights are called by their places in the layer. */
export interface LayerMoments {
  /** For each input, the linear layers that see it. */
  readonly groups: readonly (readonly string[])[];
  /** Outputs of linear layers whose gradients are looked at together. */
  readonly blocks: readonly {
    readonly weight: string;
    readonly start: number;
    readonly size: number;
  }[];
}

/** Names of what a layer's graph is given beside the weights, and of what it gives. */
export const layerValues = {
  /** The states before the layer, `[batch * length, hiddenSize]`. */
  states: "states",
  /** `[2]` integers: number of sequences, and tokens of each. */
  sizes: "sizes",
  /** `[1, 1, length, length]`: 0 where a token may attend, if it may not everywhere. */
  mask: "mask",
  /** `[1, 1, length, pairs]`: the angles of rotary positions. */
  cosine: "cosine",
  sine: "sine",
  /** Gradient by the states after the layer. */
  gradient: "gradient",
  /** The states after the layer, or the gradient by those before it. */
  result: "result",
  /** What goes into a linear layer, as the graph gives it and as it is given. */
  linearInput: (weight: string) => `input of ${weight}`,
  knownInput: (weight: string) => `known input of ${weight}`,
  /** Stripes of the moment of a group's inputs. */
  inputMoment: (group: number) => `input ${group}`,
  /** Sum of the energies of a group's rows. */
  energy: (group: number) => `energy ${group}`,
  /** Sum of what they count. */
  count: (group: number) => `count ${group}`,
  /** Stripes of the moment of a block's gradients. */
  outputMoment: (block: number) => `output ${block}`,
};

/**
 * The graph of a layer whose tensors are called by their places: it gives the states after the
 * layer, and the moments of linear layers' inputs, all rows alike.
 */
export function forwardGraph(
  layer: LayerDescription,
  isCausal: boolean,
  { groups }: Pick<LayerMoments, "groups"> = { groups: [] },
): OnnxGraph {
  const { graph, inputs, outputs } = begin(layer, isCausal);
  const { result, inputMoment } = layerValues;
  const after = applyLayer(graph, layer, layerValues.states, shareInputs(isCausal));
  graph.applyAs(result, "Identity", [after]);
  groups.forEach(([first], group) => {
    const linear = findLinear(graph, layer, first!);
    outputs.push(...addMoment(graph, inputMoment(group), linear.input, linear.inputs));
  });
  return { inputs, outputs, ...graph.finish() };
}

/** Which inputs of linear layers a graph gives. */
export interface InputsRun {
  /** The weights of those that are wanted. */
  readonly weights: readonly string[];
  /** The weights of those that are given, so that what leads to them is not computed again. */
  readonly known: readonly string[];
  /** Whether the states after the layer are wanted, too. */
  readonly advances: boolean;
}

/** The graph that gives what goes into some linear layers, and computes nothing beyond that. */
export function inputsGraph(
  layer: LayerDescription,
  isCausal: boolean,
  { weights, known, advances }: InputsRun,
): OnnxGraph {
  const { graph, inputs, outputs: states } = begin(layer, isCausal);
  const after = applyLayer(graph, layer, layerValues.states, shareInputs(isCausal));
  const outputs: OnnxValue[] = [];
  if (advances) {
    graph.applyAs(layerValues.result, "Identity", [after]);
    outputs.push(...states);
  }
  for (const weight of weights) {
    const { input, inputs: width } = findLinear(graph, layer, weight);
    const name = layerValues.linearInput(weight);
    graph.applyAs(name, "Identity", [input]);
    outputs.push({ name, type: "float32", shape: ["rows", width] });
  }
  const given = new Map(known.map((weight) => [findLinear(graph, layer, weight).input, weight]));
  for (const weight of given.values()) {
    const { inputs: width } = findLinear(graph, layer, weight);
    const name = layerValues.knownInput(weight);
    inputs.push({ name, type: "float32", shape: ["rows", width] });
  }
  const { nodes, tensors } = graph.finish();
  const cut = nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) =>
      given.has(name) ? layerValues.knownInput(given.get(name)!) : name
    ),
  }));
  return { inputs, outputs, nodes: neededNodes(cut, outputs), tensors };
}

/** The nodes that outputs depend on, in their order. */
function neededNodes(nodes: readonly OnnxNode[], outputs: readonly OnnxValue[]): OnnxNode[] {
  const needed = new Set(outputs.map(({ name }) => name));
  return nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => needed.has(name))) return false;
    for (const name of node.inputs) needed.add(name);
    return true;
  }).reverse();
}

/** A row without energy has no gradient, whatever it is multiplied by. */
const LEAST_ENERGY = 1e-30;

/**
 * The graph that goes back through a layer: runs it again from the states before it, and gives the
 * gradient by those; also the moments of linear layers' inputs, Σ e^p x xᵀ with a row's energy e (the
 * squared gradient by the outputs of all that share the inputs), those of gradients by outputs,
 * Σ e^p ∇ ∇ᵀ / e, and the sums of energies and of what rows count by them.
 */
export function backwardGraph(
  layer: LayerDescription,
  isCausal: boolean,
  { groups, blocks }: LayerMoments,
): OnnxGraph {
  const { graph, inputs, outputs } = begin(layer, isCausal);
  const { states, gradient, result, energy, count, inputMoment, outputMoment } = layerValues;
  inputs.push({ ...outputs[0]!, name: gradient });
  const output = applyLayer(graph, layer, states, shareInputs(isCausal));
  const linears = new Map(
    layerLinears(layer).map(({ weight }) => [weight, findLinear(graph, layer, weight)]),
  );
  const how = { inputs, output, outputGradient: gradient, by: [states] };
  const gradients = differentiate(graph, how);
  graph.applyAs(result, "Identity", [gradients.get(states)!]);
  const gradientOf = (weight: string) => gradients.get(linears.get(weight)!.output)!;
  const weighted = new Map<string, string>();
  groups.forEach((weights, group) => {
    const energies = weights.map((weight) =>
      graph.apply("ReduceSumSquare", [gradientOf(weight), graph.integers(1)])
    ).reduce((a, b) => graph.apply("Add", [a, b]));
    const power = (exponent: number, of = energies) =>
      graph.apply("Pow", [of, graph.floats(Float64Array.of(exponent))]);
    for (const [name, rows] of [[energy(group), energies], [count(group), power(COUNT_POWER)]]) {
      graph.applyAs(name!, "ReduceSum", [rows!, graph.integers(0, 1)], {
        keepdims: { integer: 0 },
      });
      outputs.push({ name: name!, type: "float32", shape: [] });
    }
    const { input, inputs: size } = linears.get(weights[0]!)!;
    const inputRows = graph.apply("Mul", [input, power(rowPowers.inputs)]);
    outputs.push(...addMoment(graph, inputMoment(group), inputRows, size));
    const least = graph.apply("Max", [energies, graph.floats(Float64Array.of(LEAST_ENERGY))]);
    const factors = power(rowPowers.gradients, least);
    for (const name of weights) {
      weighted.set(name, graph.apply("Mul", [gradientOf(name), factors]));
    }
  });
  blocks.forEach(({ weight, start, size }, block) => {
    const place = { start, end: start + size, size: linears.get(weight)!.outputs };
    const columns = sliceColumns(graph, weighted.get(weight)!, place);
    outputs.push(...addMoment(graph, outputMoment(block), columns, size));
  });
  return { inputs, outputs, ...graph.finish() };
}

/** A graph's builder, whose weights are inputs of the graph, and the values that it has at least. */
export function begin(layer: LayerDescription, isCausal: boolean) {
  const { states, sizes, mask, cosine, sine, result } = layerValues;
  const { attention, feedForward: { down } } = layer;
  const float = (name: string, ...shape: (number | string)[]): OnnxValue => ({
    name,
    type: "float32",
    shape,
  });
  const inputs: OnnxValue[] = [
    float(states, "rows", down.outputs),
    { name: sizes, type: "int64", shape: [2] },
    ...(isCausal ? [float(mask, 1, 1, "length", "length")] : []),
    ...(attention.rotary === undefined
      ? []
      : [cosine, sine].map((name) =>
        float(name, 1, 1, "length", attention.rotary!.dimensions / 2)
      )),
    ...partTensors(layer),
  ];
  const plain = buildGraph(new Map());
  const graph: GraphBuilder = {
    ...plain,
    weight: (name) => name,
    apply(operator, [x, ...others], attributes, domain) {
      const input = operator === "Softmax" ? withFloor(plain, x!) : x!;
      return plain.apply(operator, [input, ...others], attributes, domain);
    },
  };
  return { graph, inputs, outputs: [float(result, "rows", down.outputs)] };
}

/** Scores this far below the highest of their row have no share in float32. */
const SCORE_FLOOR = 60;

/**
 * Scores that are at most {@linkcode SCORE_FLOOR} below the highest of their row: the shares of masked
 * tokens are tiny then and not denormal, with which processors are many times slower.
 */
function withFloor(graph: GraphBuilder, scores: string): string {
  const axes = graph.integers(-1);
  const highest = graph.apply("ReduceMax", [scores, axes]);
  const floor = graph.apply("Sub", [highest, graph.float(SCORE_FLOOR)]);
  return graph.apply("Max", [scores, floor]);
}

/** What the layer shares with others, as inputs of the graph. */
export function shareInputs(isCausal: boolean): SharedValues {
  const { sizes, mask, cosine, sine } = layerValues;
  return {
    sizes,
    rotations: () => ({ cosine, sine }),
    mask: () => isCausal ? mask : undefined,
  };
}

/** Every tensor of a part of a model, wherever it stands in the description. */
export function partTensors(part: object): OnnxValue[] {
  const tensors = new Map<string, OnnxValue>();
  const add = (name: string, ...shape: number[]) =>
    tensors.set(name, { name, type: "float32", shape });
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("weight" in value) {
      const { weight, bias } = value as LinearDescription | NormDescription;
      if ("outputs" in value) {
        const { inputs, outputs, layout } = value as LinearDescription;
        add(weight, ...(layout === "inputsByOutputs" ? [inputs, outputs] : [outputs, inputs]));
        if (bias !== undefined) add(bias, outputs);
      } else {
        const { size } = value as NormDescription;
        add(weight, size);
        if (bias !== undefined) add(bias, size);
      }
      return;
    }
    Object.values(value).forEach(walk);
  };
  walk(part);
  return [...tensors.values()];
}

/** What goes into a linear layer and what it gives, in a graph that applies it once. */
function findLinear(graph: GraphBuilder, layer: LayerDescription, weight: string) {
  const { inputs, outputs } = layerLinears(layer).find((linear) => linear.weight === weight)!;
  const node = graph.finish().nodes
    .find((node) => node.operator === "Gemm" && node.inputs[1] === weight)!;
  return { input: node.inputs[0]!, output: node.outputs[0]!, inputs, outputs };
}
