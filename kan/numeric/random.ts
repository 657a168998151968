import { requireInteger } from "./checks.ts";
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
 * @throws RangeError if `seed` is not an integer.
 *
 * ```ts
 * import { createRandom } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * assert.equal(createRandom(7).uniform(), createRandom(7).uniform());
 * ```
 */
export function createRandom(seed: number): Random {
  requireInteger("seed", seed);
  const generator = xoroshiro128plus(scramble(seed));
  // The generator's state begins with few bits set: its first numbers would be alike for all seeds.
  for (let i = 0; i < 16; i++) generator.next();
  const uniform = () => (generator.next() >>> 0) / 0x1_0000_0000;
  return {
    uniform,
    normal() {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return radius * Math.cos(2 * Math.PI * uniform());
    },
    integer(bound) {
      requireInteger("bound", bound, 1, 0x1_0000_0000);
      return Math.floor(uniform() * bound);
    },
  };
}

/** The finalizer of MurmurHash3: neighbouring seeds become unlike ones. */
function scramble(seed: number): number {
  let bits = seed | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
