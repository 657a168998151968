import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A stream of reproducible random numbers; the same seed gives the same stream everywhere. */
export interface Random {
  /** The next number, uniform in [0, 1), a multiple of 2^-32. */
  uniform(): number;
  /** The next number from the standard normal distribution. */
  normal(): number;
  /** The next integer, uniform in 0 .. `bound` - 1; `bound` from 1 to 2^32. */
  integer(bound: number): number;
}

/**
 * A generator seeded by an integer (xoroshiro128+; Box-Muller for normals).
 *
 * ```ts
 * import { createRandom } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * assert.equal(createRandom(7).uniform(), createRandom(7).uniform());
 * ```
 */
export function createRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  const uniform = () => (generator.next() >>> 0) / 0x1_0000_0000;
  return {
    uniform,
    normal() {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return radius * Math.cos(2 * Math.PI * uniform());
    },
    integer: (bound) => Math.floor(uniform() * bound),
  };
}
