/**
 * Data to try networks on: samples of functions, parts to train and test with, and equations of
 * physics.
 *
 * ```ts
 * import { createRandom } from "@kanpress/kanpress/kan";
 * import { feynmanProblem, sampleFunction, splitData } from "@kanpress/kanpress/kan/data";
 * import assert from "node:assert";
 *
 * const { evaluate, variables } = feynmanProblem("I.15.10"); // relativistic momentum
 * const ranges = variables.map(({ range }) => range);
 * const all = sampleFunction(evaluate, { ranges, rows: 500, random: createRandom(0) });
 * const { train, test } = splitData(all, 0.2);
 * assert.deepEqual([train.inputs.rows, test.inputs.rows], [400, 100]);
 * ```
 *
 * @module
 */
export { type FeynmanProblem, feynmanProblem, feynmanProblems } from "./feynman.ts";
export * from "./samples.ts";
