/**
 * Networks that can be read: curves replaced by functions with names, and their formulas.
 *
 * ```ts
 * import { suggestForCurve } from "@kanpress/kanpress/kan/symbolic";
 * import assert from "node:assert";
 *
 * const x = Float64Array.from({ length: 50 }, (_, i) => i / 25 - 1);
 * const y = x.map((each) => 3 * Math.exp(2 * each) - 1);
 * const [best] = suggestForCurve(x, y);
 * assert.equal(best!.edge.name, "exp");
 * assert.ok(Math.abs(best!.edge.inputScale - 2) < 1e-6);
 * ```
 *
 * @module
 */
export {
  type SymbolicEdge,
  type SymbolicFunction,
  symbolicFunction,
  symbolicFunctions,
} from "../model/symbolic_functions.ts";
export { addSymbolicFunction, type OwnFunction } from "./add_function.ts";
export {
  type SearchRanges,
  suggestForCurve,
  type Suggestion,
  type SuggestOptions,
} from "./fit_curve.ts";
export * from "./formula.ts";
export * from "./suggest.ts";
