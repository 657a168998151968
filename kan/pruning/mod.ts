/**
 * Making networks smaller: what each node and edge adds to the outputs, and removing those that add
 * little.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { pruneKan } from "@kanpress/kanpress/kan/pruning";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [1, 4, 1], random: createRandom(0) });
 * const x = samplesFrom([[-1], [-0.5], [0], [0.5], [1]]);
 * const pruned = pruneKan(model, x, { nodeThreshold: 0.3 });
 * assert.ok(pruned.layers[0]!.outputDim < 4);
 * ```
 *
 * @module
 */
export { attributeKan, type Attribution } from "./attribution.ts";
export * from "./interactions.ts";
export * from "./keep.ts";
export {
  type EdgeAddress,
  type PrunedInputs,
  pruneInputs,
  pruneKan,
  type PruneOptions,
  removeEdge,
} from "./prune.ts";
