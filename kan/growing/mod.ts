/**
 * Making fitted networks larger, and disturbing them, without losing what they have learnt.
 *
 * ```ts
 * import { createKanModel, createRandom, evaluateKan, samplesFrom } from "@kanpress/kanpress/kan";
 * import { widenKan } from "@kanpress/kanpress/kan/growing";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 3, 1], random: createRandom(0) });
 * const wide = widenKan(model, { layer: 0, sums: 2, random: createRandom(1) });
 * const x = samplesFrom([[0.1, 0.2]]);
 * assert.deepEqual(evaluateKan(wide, x), evaluateKan(model, x)); // until it is trained
 * ```
 *
 * @module
 */
export * from "./deepen.ts";
export * from "./perturb.ts";
export * from "./widen.ts";
