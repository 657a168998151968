/**
 * Kolmogorov-Arnold networks on tfjs: whole networks, layers, and a layer for tfjs's models.
 *
 * ```ts
 * import { createKanModel, createRandom } from "@kanpress/kanpress/kan";
 * import { Kan } from "@kanpress/kanpress/kan/layers";
 * import * as tf from "@tensorflow/tfjs";
 * import assert from "node:assert";
 *
 * const kan = Kan.fromModel(createKanModel({ widths: [2, 3, 1], random: createRandom(0) }));
 * const y = kan.apply(tf.tensor2d([[0.1, 0.2], [0.3, 0.4]]));
 * assert.deepEqual(y.shape, [2, 1]);
 * y.dispose();
 * kan.dispose();
 * ```
 *
 * @module
 */
export { createKanLayerModel, type KanLayerOptions } from "../model/layer_model.ts";
export { matMul } from "../numeric/mat_mul.ts";
export * from "../numeric/tensor_types.ts";
export * from "./kan.ts";
export { KanLayer, type SplinePath } from "./kan_layer.ts";
export * from "./tf_layer.ts";
