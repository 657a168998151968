/**
 * What is known of a language model from its config: its layers, and the tensors that they take.
 *
 * ```ts
 * import { describeModel } from "@kanpress/kanpress/eval/architectures";
 * import { openModel } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const { config, weights } = await openModel(); // the embedded model
 * const model = describeModel(config, weights.tensors.map(({ name }) => name));
 * assert.equal(model.tokenEmbedding, "transformer.wte.weight");
 * assert.equal(model.layers.length, config["n_layer"]);
 * ```
 *
 * @module
 */
export { type ActivationName, activationNames } from "./activation_names.ts";
export type { Architecture } from "./architecture.ts";
export type { ModelConfig } from "./config.ts";
export * from "./description.ts";
export { architectureOf, describeModel, isIgnorableTensor } from "./registry.ts";
