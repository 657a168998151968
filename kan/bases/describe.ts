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
 * import { basisFromDescription, createFourier } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * const basis = basisFromDescription(createFourier(3).description);
 * assert.equal(basis.size, 7);
 * ```
 */
export function basisFromDescription(description: BasisDescription): Basis {
  switch (description.kind) {
    case "bspline":
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
  }
}
