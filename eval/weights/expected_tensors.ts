import { InputError } from "../../data/input_error.ts";
import type { TensorInfo } from "../../data/tensor.ts";
import type { ModelConfig } from "../architectures/config.ts";
import type {
  LayerDescription,
  LinearDescription,
  NormDescription,
  TransformerDescription,
} from "../architectures/description.ts";
import { isIgnorableTensor } from "../architectures/registry.ts";
import { refuseQuantized } from "./quantized_checkpoint.ts";

/** All linear layers of one layer, in the order in which the forward pass runs them. */
export function layerLinears({ attention, feedForward }: LayerDescription): LinearDescription[] {
  const { projection } = attention;
  const { up, gate, down } = feedForward;
  return [
    ...(projection.kind === "joined"
      ? [projection.linear]
      : [projection.query, projection.key, projection.value]),
    attention.output,
    ...(gate === undefined ? [up] : [gate, up]),
    down,
  ];
}

/** All normalizations of one layer; two may be the same. */
export function layerNorms(layer: LayerDescription): NormDescription[] {
  const { queryNorm, keyNorm, allQueriesNorm, allKeysNorm } = layer.attention;
  return [
    layer.attentionNorm,
    layer.attentionOutputNorm,
    layer.feedForwardNorm,
    layer.feedForwardOutputNorm,
    queryNorm,
    keyNorm,
    allQueriesNorm,
    allKeysNorm,
  ].filter((norm) => norm !== undefined);
}

/** All linear layers of a model, those of the head last. */
export function modelLinears(model: TransformerDescription): LinearDescription[] {
  const { layers, headTransform, head } = model;
  return [
    ...layers.flatMap(layerLinears),
    ...(headTransform === undefined ? [] : [headTransform.linear]),
    head,
  ];
}

/** Names of the matrices of linear layers that are stored as `[inputs, outputs]`. */
export function swappedMatrices(model: TransformerDescription): Set<string> {
  return new Set(
    modelLinears(model).filter(({ layout }) => layout === "inputsByOutputs")
      .map(({ weight }) => weight),
  );
}

/** Name and shape of every tensor that a model needs; a tied one counts once. */
export function expectedTensors(model: TransformerDescription): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const addNorm = (norm: NormDescription | undefined) => {
    if (norm === undefined) return;
    shapes.set(norm.weight, [norm.size]);
    if (norm.bias !== undefined) shapes.set(norm.bias, [norm.size]);
  };
  shapes.set(model.tokenEmbedding, [model.vocabularySize, model.hiddenSize]);
  if (model.positionEmbedding !== undefined) {
    const rows = (model.positionOffset ?? 0) + model.contextLength;
    shapes.set(model.positionEmbedding, [rows, model.hiddenSize]);
  }
  for (const { weight, bias, inputs, outputs, layout } of modelLinears(model)) {
    shapes.set(weight, layout === "inputsByOutputs" ? [inputs, outputs] : [outputs, inputs]);
    if (bias !== undefined) shapes.set(bias, [outputs]);
  }
  for (const layer of model.layers) layerNorms(layer).forEach(addNorm);
  for (const norm of [model.embeddingNorm, model.finalNorm, model.headTransform?.norm]) {
    addNorm(norm);
  }
  return shapes;
}

/** Names of the tensors of one layer. */
export function layerTensorNames(model: TransformerDescription, layer: LayerDescription): string[] {
  const outer = expectedTensors({ ...model, layers: [] });
  return [...expectedTensors({ ...model, layers: [layer] }).keys()]
    .filter((name) => !outer.has(name));
}

/**
 * Throws {@linkcode InputError} unless the tensors are exactly those that the config asks for,
 * apart from buffers.
 */
export function checkTensors(
  config: ModelConfig,
  model: TransformerDescription,
  tensors: Iterable<Pick<TensorInfo, "name" | "shape">>,
): void {
  const missing = expectedTensors(model);
  const present = [...tensors];
  refuseQuantized(config, present.map(({ name }) => name));
  for (const { name, shape } of present) {
    const expected = missing.get(name);
    if (expected === undefined) {
      if (isIgnorableTensor(config, name)) continue;
      throw new InputError(
        `tensor ${name} has no place in the ${model.modelType} model that config.json describes; ` +
          "check that weights and config.json belong together",
      );
    }
    if (shape.join() !== expected.join()) {
      throw new InputError(
        `tensor ${name} has shape [${shape.join(", ")}], but config.json asks for ` +
          `[${expected.join(", ")}]; check that weights and config.json belong together`,
      );
    }
    missing.delete(name);
  }
  const [first] = missing;
  if (first === undefined) return;
  const [name, shape] = first;
  const more = missing.size > 1 ? ` (and ${missing.size - 1} more)` : "";
  throw new InputError(
    `tensor ${name} of shape [${shape.join(", ")}]${more} is missing from the weights; ` +
      "check that weights and config.json belong together",
  );
}
