import { gridFromKnots } from "./grid.ts";
import type { Basis, BasisDescription } from "./basis.ts";
import { createBsplines } from "./bspline.ts";
import {
  createChebyshev,
  createFourier,
  createGaussians,
  createMexicanHats,
  createRationals,
} from "./global_bases.ts";

/**
 * The basis that a description was taken from.
 *
 * @throws RangeError if a number in it is out of its range.
 *
 * ```ts
 * import { basisFromDescription, createFourier } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * const basis = basisFromDescription(createFourier(3).description);
 * assert.equal(basis.size, 7);
 * ```
 */
export function basisFromDescription(description: BasisDescription): Basis {
  requireLists(description);
  switch (description.kind) {
    case "bspline":
      if (!("knots" in description)) throw new RangeError("a spline needs its knots");
      return createBsplines(
        gridFromKnots(description.knots, description.order),
        description.extrapolation,
      );
    case "gaussian":
      return createGaussians(description);
    case "mexican-hat":
      return createMexicanHats(description);
    case "chebyshev":
      return createChebyshev(description.degree);
    case "fourier":
      return createFourier(description.frequencies, description.period);
    case "rational":
      return createRationals(description);
    default:
      throw new RangeError(`no basis "${(description as BasisDescription).kind}"`);
  }
}

/** Descriptions come from files too: what should be a list of numbers may be anything. */
function requireLists(description: BasisDescription): void {
  for (const name of ["knots", "range", "denominator"]) {
    if (!(name in description)) continue;
    const list = (description as unknown as Record<string, unknown>)[name];
    if (!Array.isArray(list)) throw new RangeError(`${name} must be a list of numbers`);
  }
}
