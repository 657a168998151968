import type { OnnxGraph, OnnxValue } from "../../data/onnx/onnx_model.ts";
import type { LayerDescription, LinearDescription } from "../architectures/description.ts";
import { normalize, scale, softCap } from "../onnx/blocks.ts";
import type { GraphBuilder } from "../onnx/graph_builder.ts";
import { applyLayer } from "../onnx/layer.ts";
import { layerLinears } from "../weights/expected_tensors.ts";
import { differentiate } from "./differentiate.ts";
import {
  build,
  float,
  headInputs,
  type HeadSettings,
  headValues,
  logitsOf,
  type NormPart,
  sumRuns,
  timesSlope,
} from "./head_graphs.ts";
import { begin, layerValues, partTensors, shareInputs } from "./layer_graphs.ts";

/** Names of what the graphs of training are given and give beside those of layers and heads. */
export const trainingValues = {
  /** Factors of a linear layer's inputs and outputs; weights are called by their places. */
  inputGains: (weight: string) => `input gains ${weight}`,
  outputGains: (weight: string) => `output gains ${weight}`,
  /** Gradient by one of the graph's inputs. */
  gradientBy: (name: string) => `gradient by ${name}`,
  /** Of each row: Σ p (log p - log q) over these outputs, less what the log sums add. */
  divergence: "divergence",
  /** log Σ exp of all logits of the trained model, for each row. */
  trainedLogSum: "trained log sum",
} as const;

const headGains = {
  inputs: trainingValues.inputGains("head"),
  outputs: trainingValues.outputGains("head"),
};

/** y = ((x · gains) W) · gains + b. */
function gainedLinear(
  graph: GraphBuilder,
  x: string,
  weight: string,
  turned: boolean,
  gains: { readonly inputs: string; readonly outputs: string },
): string {
  const scaled = graph.apply("Mul", [x, gains.inputs]);
  const attributes = { transB: { integer: turned ? 1 : 0 } };
  const product = graph.apply("Gemm", [scaled, weight], attributes);
  return graph.apply("Mul", [product, gains.outputs]);
}

/** A builder that gives the products with a layer's matrices gains. */
function withGains(graph: GraphBuilder, layer: LayerDescription): GraphBuilder {
  const linears = new Map(layerLinears(layer).map((linear) => [linear.weight, linear]));
  return {
    ...graph,
    apply(operator, inputs, attributes) {
      const [x, weight, bias] = inputs as [string, string, string?];
      const linear = operator === "Gemm" ? linears.get(weight) : undefined;
      if (linear === undefined) return graph.apply(operator, inputs, attributes);
      const y = gainedLinear(graph, x, weight, linear.layout === "outputsByInputs", {
        inputs: trainingValues.inputGains(weight),
        outputs: trainingValues.outputGains(weight),
      });
      return bias === undefined ? y : graph.apply("Add", [y, bias]);
    },
  };
}

function gainInputs({ weight, inputs, outputs }: LinearDescription): OnnxValue[] {
  return [
    float(trainingValues.inputGains(weight), inputs),
    float(trainingValues.outputGains(weight), outputs),
  ];
}

/** What a backward graph gives beside gradients by gains and vectors. */
export interface BackwardOptions {
  /** Whether it gives the gradients by the matrices, too, gains left out of them. */
  readonly byMatrices: boolean;
}

/** A layer with gains whose tensors are called by their places, and what it is differentiated by. */
function beginTrained(layer: LayerDescription, isCausal: boolean, byMatrices: boolean) {
  const { graph, inputs, outputs } = begin(layer, isCausal);
  const linears = layerLinears(layer);
  const matrices = new Set(linears.map(({ weight }) => weight));
  const gains = linears.flatMap(gainInputs);
  const tensors = partTensors(layer).filter(({ name }) => byMatrices || !matrices.has(name));
  const trained = [...gains, ...tensors];
  inputs.push(...gains);
  const { states } = layerValues;
  const after = applyLayer(withGains(graph, layer), layer, states, shareInputs(isCausal));
  return { graph, inputs, outputs, trained, after };
}

/** The states after a layer with gains. */
export function trainedForwardGraph(layer: LayerDescription, isCausal: boolean): OnnxGraph {
  const { graph, inputs, outputs, after } = beginTrained(layer, isCausal, false);
  graph.applyAs(layerValues.result, "Identity", [after]);
  return { inputs, outputs, ...graph.finish() };
}

/** Goes back through a layer: gradients by the states before it, its gains and its vectors. */
export function trainedBackwardGraph(
  layer: LayerDescription,
  isCausal: boolean,
  { byMatrices }: BackwardOptions,
): OnnxGraph {
  const { graph, inputs, outputs, trained, after } = beginTrained(layer, isCausal, byMatrices);
  const { states, gradient, result } = layerValues;
  inputs.push({ ...outputs[0]!, name: gradient });
  const by = [states, ...trained.map(({ name }) => name)];
  const gradients = differentiate(graph, { inputs, output: after, outputGradient: gradient, by });
  graph.applyAs(result, "Identity", [gradients.get(states)!]);
  outputs.push(...giveGradients(graph, gradients, trained));
  return { inputs, outputs, ...graph.finish() };
}

/** Goes back through a norm: gradients by the states before it and its vectors. */
export function trainedNormGraph({ norm }: NormPart): OnnxGraph {
  const graph = build();
  const { states, gradient, result } = headValues;
  const vectors = partTensors({ norm });
  const inputs = [
    float(states, "rows", norm.size),
    float(gradient, "rows", norm.size),
    ...vectors,
  ];
  const output = normalize(graph, norm, states);
  const by = [states, ...vectors.map(({ name }) => name)];
  const gradients = differentiate(graph, { inputs, output, outputGradient: gradient, by });
  graph.applyAs(result, "Identity", [gradients.get(states)!]);
  const outputs = [
    float(result, "rows", norm.size),
    ...giveGradients(graph, gradients, vectors),
  ];
  return { inputs, outputs, ...graph.finish() };
}

function giveGradients(
  graph: GraphBuilder,
  gradients: ReadonlyMap<string, string>,
  trained: readonly OnnxValue[],
): OnnxValue[] {
  return trained.flatMap((value) => {
    const found = gradients.get(value.name);
    if (found === undefined) return [];
    const name = trainingValues.gradientBy(value.name);
    graph.applyAs(name, "Identity", [found]);
    return [{ ...value, name }];
  });
}

/** A head with gains, as the second of two models; the first is the original. */
function trainedLogits(
  graph: GraphBuilder,
  { hasBias, logitScale, logitSoftCap }: HeadSettings,
): { product: string; logits: string } {
  const { hidden, weight, bias } = headValues;
  const y = gainedLinear(graph, hidden(1), weight(1), true, headGains);
  const product = hasBias ? graph.apply("Add", [y, bias(1)]) : y;
  return { product, logits: softCap(graph, scale(graph, product, logitScale), logitSoftCap) };
}

function trainedHeadInputs(settings: HeadSettings): OnnxValue[] {
  return [
    ...headInputs(1, settings),
    float(headGains.inputs, "hidden"),
    float(headGains.outputs, "outputs"),
  ];
}

/** Largest logits, and sums of exponentials, of some outputs of a head with gains. */
export function trainedSumGraph(width: number, settings: HeadSettings): OnnxGraph {
  const graph = build();
  const { largest, sums } = headValues;
  const { logits } = trainedLogits(graph, settings);
  graph.applyAs(largest(1), "ReduceMax", [logits, graph.integers(-1)]);
  const shares = graph.apply("Exp", [graph.apply("Sub", [logits, largest(1)])]);
  const runs = sumRuns(graph, sums(1), shares, width);
  return {
    inputs: trainedHeadInputs(settings),
    outputs: [float(largest(1), "rows", 1), float(sums(1), "rows", runs)],
    ...graph.finish(),
  };
}

/** The divergence of a head with gains from the original's, for some outputs, without gradients. */
export function divergenceGraph(width: number, settings: HeadSettings): OnnxGraph {
  return headGraph(width, settings, undefined);
}

/** As {@linkcode divergenceGraph}, with the gradients of the sum over rows. */
export function trainedHeadGraph(
  width: number,
  settings: HeadSettings,
  options: BackwardOptions,
): OnnxGraph {
  return headGraph(width, settings, options);
}

function headGraph(
  width: number,
  settings: HeadSettings,
  backward: BackwardOptions | undefined,
): OnnxGraph {
  const graph = build();
  const { hidden, weight, bias, logSum } = headValues;
  const { divergence, trainedLogSum } = trainingValues;
  const inputs = [
    ...headInputs(0, settings),
    ...trainedHeadInputs(settings),
    float(logSum, "rows", 1),
    float(trainedLogSum, "rows", 1),
  ];
  const logOriginal = graph.apply("Sub", [logitsOf(graph, 0, settings), logSum]);
  const { product, logits } = trainedLogits(graph, settings);
  const logTrained = graph.apply("Sub", [logits, trainedLogSum]);
  const shares = graph.apply("Exp", [logOriginal]);
  const apart = graph.apply("Sub", [logOriginal, logTrained]);
  const runs = sumRuns(graph, divergence, graph.apply("Mul", [shares, apart]), width);
  const outputs = [float(divergence, "rows", runs)];
  if (backward !== undefined) {
    const error = graph.apply("Sub", [graph.apply("Exp", [logTrained]), shares]);
    const outputGradient = timesSlope(graph, error, logits, settings);
    const trained = [
      float(hidden(1), "rows", "hidden"),
      float(headGains.inputs, "hidden"),
      float(headGains.outputs, width),
      ...(backward.byMatrices ? [float(weight(1), width, "hidden")] : []),
      ...(settings.hasBias ? [float(bias(1), width)] : []),
    ];
    const by = trained.map(({ name }) => name);
    const gradients = differentiate(graph, { inputs, output: product, outputGradient, by });
    outputs.push(...giveGradients(graph, gradients, trained));
  }
  return { inputs, outputs, ...graph.finish() };
}

/** What heads with gains need beside the weights. */
export const trainedHeadGains: typeof headGains = headGains;
