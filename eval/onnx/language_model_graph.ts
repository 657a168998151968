import { InputError } from "../../data/input_error.ts";
import type { OnnxGraph, OnnxValue } from "../../data/onnx/onnx_model.ts";
import type { StateDict } from "../../data/tensor.ts";
import type { ModelConfig } from "../architectures/config.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { unknownMember } from "../architectures/members.ts";
import { describeModel } from "../architectures/registry.ts";
import { checkTensors } from "../weights/expected_tensors.ts";
import { type CacheNames, rotations, type SharedValues } from "./attention.ts";
import { activate, normalize, scale, softCap } from "./blocks.ts";
import { buildGraph, type GraphBuilder } from "./graph_builder.ts";
import { applyLayer, layerMembers } from "./layer.ts";
import type { MatrixForm } from "./matrix_form.ts";
import { linear, matrixRows } from "./matrix_products.ts";

/** How a language model is written as a graph. */
export interface OnnxOptions {
  /**
   * Whether the graph takes and gives keys and values, for writing token by token, under the names
   * that transformers.js and Optimum use; true if omitted.
   */
  readonly cache?: boolean;
  /** How matrices are written; float32 if omitted. */
  readonly matrices?: MatrixForm;
}

/** What a graph can hold beside what all language models have. */
const known = [
  ...layerMembers,
  "objective: maskedToken",
  "objective: classification",
  "headTransform.linear",
  "headTransform.activation",
  "headTransform.norm",
  "positionEmbedding",
  "positionOffset",
  "embeddingScale",
  "embeddingNorm",
  "logitScale",
  "logitSoftCap",
];

/** As in the other forward pass: its exponential vanishes, and sums of it stay finite. */
const MASKED = -1e9;

/**
 * A language model as an ONNX graph, to be written by {@linkcode encodeOnnxFiles}. One that predicts
 * next tokens is given `input_ids` `[batch, length]` and gives `logits`
 * `[batch, length, vocabularySize]`. With a cache it is also given `attention_mask`
 * `[batch, past + length]`, `position_ids` `[batch, length]` and for each layer
 * `past_key_values.0.key` and `.value`, `[batch, keyValueHeads, past, headSize]`, and it gives
 * `present.0.key` and `.value`, longer by these tokens. One that predicts masked tokens or classes
 * is given `input_ids` and `attention_mask` `[batch, length]` and gives `logits`
 * `[batch, length, vocabularySize]` or `[batch, classes]`; it has no cache.
 *
 * Weights in float32 are not copied, and values of matrices that are bytes are not looked at. Throws
 * {@linkcode InputError} if the config is not that of a supported model, or does not fit the weights.
 *
 * ```ts
 * import { embeddedModelPath, openModel } from "@kanpress/kanpress/data";
 * import { encodeOnnxModel, languageModelGraph } from "@kanpress/kanpress/onnx";
 * import { readStateDict } from "@kanpress/kanpress/eval";
 * import assert from "node:assert";
 *
 * const source = await openModel(embeddedModelPath());
 * const graph = languageModelGraph(source.config, await readStateDict(source));
 * assert.equal(graph.outputs[0]!.name, "logits");
 * await Deno.writeFile(
 *   `${Deno.makeTempDirSync()}/model.onnx`,
 *   ReadableStream.from(encodeOnnxModel(graph)),
 * );
 * ```
 */
export function languageModelGraph(
  config: ModelConfig,
  weights: StateDict,
  { cache = true, matrices }: OnnxOptions = {},
): OnnxGraph {
  const model = describeModel(config, weights.keys());
  checkTensors(config, model, Array.from(weights, ([name, { shape }]) => ({ name, shape })));
  const unknown = unknownMember(model, known);
  if (unknown !== undefined) {
    throw new InputError(
      `config.json: ${model.modelType} models with ${unknown} cannot be written as ONNX`,
    );
  }
  const graph = buildGraph(weights, matrices);
  const reads = model.objective !== "nextToken" ? "all" : cache ? "cache" : "before";
  const shared = shareValues(graph, reads);
  let x = embed(graph, model, shared);
  model.layers.forEach((layer, index) => {
    x = applyLayer(graph, layer, x, shared, reads === "cache" ? cacheNames(index) : undefined);
  });
  if (model.finalNorm !== undefined) x = normalize(graph, model.finalNorm, x);
  const isClass = model.objective === "classification";
  if (isClass) x = firstTokens(graph, x, shared.sizes, model.hiddenSize);
  if (model.headTransform !== undefined) {
    const { linear: layer, activation, norm } = model.headTransform;
    x = activate(graph, activation, linear(graph, layer, x));
    if (norm !== undefined) x = normalize(graph, norm, x);
  }
  const product = scale(graph, linear(graph, model.head, x), model.logitScale);
  const logits = softCap(graph, product, model.logitSoftCap);
  if (isClass) graph.applyAs("logits", "Identity", [logits]);
  else {
    const shape = [shared.sizes, graph.integers(model.vocabularySize)];
    const sizes = graph.apply("Concat", shape, { axis: { integer: 0 } });
    graph.applyAs("logits", "Reshape", [logits, sizes]);
  }
  return { ...inputsAndOutputs(model, reads), ...graph.finish() };
}

/**
 * What a token attends to: all tokens that are not masked, those before it and it, or these and those of
 * the cache.
 */
type Reads = "all" | "before" | "cache";

/** The states of each text's first token, `[batch, hiddenSize]`. */
function firstTokens(graph: GraphBuilder, x: string, sizes: string, hiddenSize: number): string {
  const shape = [sizes, graph.integers(hiddenSize)];
  const byText = graph.apply("Concat", shape, { axis: { integer: 0 } });
  const states = graph.apply("Reshape", [x, byText]);
  return graph.apply("Gather", [states, graph.integer(0)], { axis: { integer: 1 } });
}

/** The values that all layers need, and the positions as integers. */
function shareValues(graph: GraphBuilder, reads: Reads): SharedValues & { ids: string } {
  const sizes = graph.apply("Shape", ["input_ids"]);
  const length = graph.apply("Gather", [sizes, graph.integer(1)]);
  const cache = reads === "cache";
  const total = cache
    ? graph.apply("Gather", [graph.apply("Shape", ["attention_mask"]), graph.integer(1)])
    : length;
  const range = (from: string, to: string) => graph.apply("Range", [from, to, graph.integer(1)]);
  // Where the tokens stand in the mask, which counts what was left out at a sequence's beginning.
  const places = range(graph.apply("Sub", [total, length]), total);
  const ids = cache ? "position_ids" : graph.apply("Expand", [places, sizes]);
  const floats = graph.apply("Cast", [ids], { to: { integer: 1 } });
  const positions = graph.apply("Unsqueeze", [floats, graph.integers(1, 3)]);
  const masks = new Map<number | undefined, string>();
  return {
    sizes,
    rotations: (rotary) => rotations(graph, rotary, positions),
    ids,
    mask(slidingWindow) {
      const known = masks.get(slidingWindow);
      if (known !== undefined) return known;
      const columns = range(graph.integer(0), total);
      const made = reads === "all"
        ? masked(graph, givenMask(graph))
        : masked(graph, causalMask(graph, places, columns, cache, slidingWindow));
      masks.set(slidingWindow, made);
      return made;
    },
  };
}

/** Where tokens may attend, `[1 or batch, 1, length, total]`. */
function causalMask(
  graph: GraphBuilder,
  places: string,
  columns: string,
  cache: boolean,
  slidingWindow: number | undefined,
): string {
  const rows = graph.apply("Unsqueeze", [places, graph.integers(1)]);
  let allowed = graph.apply("LessOrEqual", [columns, rows]);
  if (slidingWindow !== undefined) {
    const first = graph.apply("Sub", [rows, graph.integer(slidingWindow)]);
    allowed = graph.apply("And", [allowed, graph.apply("Greater", [columns, first])]);
  }
  if (cache) return graph.apply("And", [allowed, givenMask(graph)]);
  return graph.apply("Unsqueeze", [allowed, graph.integers(0, 1)]);
}

/** Which tokens the given mask has, `[batch, 1, 1, total]`. */
function givenMask(graph: GraphBuilder): string {
  const given = graph.apply("Greater", ["attention_mask", graph.integer(0)]);
  return graph.apply("Unsqueeze", [given, graph.integers(1, 2)]);
}

function masked(graph: GraphBuilder, allowed: string): string {
  return graph.apply("Where", [allowed, graph.float(0), graph.float(MASKED)]);
}

/** Token and position embeddings, `[batch * length, hiddenSize]`. */
function embed(
  graph: GraphBuilder,
  model: TransformerDescription,
  { ids }: { readonly ids: string },
): string {
  let x = scale(graph, matrixRows(graph, model.tokenEmbedding, "input_ids"), model.embeddingScale);
  if (model.positionEmbedding !== undefined) {
    const { positionOffset } = model;
    const rows = positionOffset === undefined
      ? ids
      : graph.apply("Add", [ids, graph.integer(positionOffset)]);
    x = graph.apply("Add", [x, matrixRows(graph, model.positionEmbedding, rows)]);
  }
  return model.embeddingNorm === undefined ? x : normalize(graph, model.embeddingNorm, x);
}

function cacheNames(layer: number): CacheNames {
  const [past, present] = [`past_key_values.${layer}`, `present.${layer}`];
  return {
    past: { key: `${past}.key`, value: `${past}.value` },
    present: { key: `${present}.key`, value: `${present}.value` },
  };
}

function inputsAndOutputs(
  model: TransformerDescription,
  reads: Reads,
): Pick<OnnxGraph, "inputs" | "outputs"> {
  const integers = (name: string, ...shape: string[]): OnnxValue => ({
    name,
    type: "int64",
    shape,
  });
  const logits: OnnxValue = {
    name: "logits",
    type: "float32",
    shape: model.objective === "classification"
      ? ["batch_size", model.head.outputs]
      : ["batch_size", "sequence_length", model.vocabularySize],
  };
  const ids = integers("input_ids", "batch_size", "sequence_length");
  if (reads === "before") return { inputs: [ids], outputs: [logits] };
  if (reads === "all") {
    return {
      inputs: [ids, integers("attention_mask", "batch_size", "sequence_length")],
      outputs: [logits],
    };
  }
  const kept = (side: "past" | "present") =>
    model.layers.flatMap(({ attention: { keyValueHeads, headSize } }, layer): OnnxValue[] =>
      Object.values(cacheNames(layer)[side]).map((name) => ({
        name,
        type: "float32",
        shape: [
          "batch_size",
          keyValueHeads,
          side === "past" ? "past_sequence_length" : "total_sequence_length",
          headSize,
        ],
      }))
    );
  return {
    inputs: [
      ids,
      integers("attention_mask", "batch_size", "total_sequence_length"),
      integers("position_ids", "batch_size", "sequence_length"),
      ...kept("past"),
    ],
    outputs: [logits, ...kept("present")],
  };
}
