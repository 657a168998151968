import type { AffineGridOptions } from "./affine_grid.ts";
import type { Baseline } from "./baseline.ts";
import { dualScale } from "./dual_scale.ts";
import { GGUF_TYPES } from "./gguf.ts";
import { gptq } from "./gptq.ts";
import { halfQuadratic } from "./half_quadratic.ts";
import { normalFloat4 } from "./normal_float.ts";
import { prune, type PruningOptions } from "./pruning.ts";
import { roundToNearest } from "./round_to_nearest.ts";

/** Bits and group sizes in which each family is offered. */
const SIZES: readonly (readonly [number, number])[] = [
  [8, 128],
  [4, 128],
  [4, 64],
  [4, 32],
  [3, 128],
  [3, 64],
  [3, 32],
  [2, 64],
  [2, 32],
  [2, 16],
];

function* entries(): Generator<readonly [string, Baseline]> {
  for (const [bits, groupSize] of SIZES) {
    const size = `${bits}-g${groupSize}`;
    const grid: AffineGridOptions = { bits, symmetric: false, searchClip: true };
    yield [`rtn-sym-${size}`, (weights) => {
      return roundToNearest(weights, { bits, groupSize, symmetric: true, searchClip: false });
    }];
    yield [`rtn-asym-${size}`, (weights) => {
      return roundToNearest(weights, { bits, groupSize, symmetric: false, searchClip: false });
    }];
    yield [`rtn-clip-${size}`, (weights, hessian) => {
      return roundToNearest(weights, { ...grid, groupSize }, hessian);
    }];
    for (const activationOrder of [false, true]) {
      const options = { ...grid, groupSize, activationOrder };
      const name = activationOrder ? `gptq-order-${size}` : `gptq-${size}`;
      yield [name, (weights, hessian) => gptq(weights, options, hessian)];
    }
    yield [`hqq-${size}`, (weights) => halfQuadratic(weights, { bits, groupSize })];
    yield [`sinq-${size}`, (weights) => dualScale(weights, { bits, groupSize })];
  }
  const blockSize = 64;
  yield ["nf4", (weights) => normalFloat4(weights, { blockSize, doubleQuantization: false })];
  yield ["nf4-double", (weights) => normalFloat4(weights, { blockSize, doubleQuantization: true })];
  yield* GGUF_TYPES;
  for (const percent of [20, 30, 50, 70]) {
    for (const score of ["magnitude", "activation"] as const) {
      const options: PruningOptions = { sparsity: percent / 100, score };
      const name = `prune-${score}-${percent}`;
      yield [name, (weights, hessian) => prune(weights, options, hessian)];
      for (const bits of [3, 4]) {
        const both = { ...options, quantization: { bits, groupSize: 64 } };
        yield [`${name}-${bits}bit`, (weights, hessian) => prune(weights, both, hessian)];
      }
    }
  }
}

/**
 * Every baseline by name: `rtn-sym`, `rtn-asym` and `rtn-clip` (round to nearest), `gptq` and
 * `gptq-order`, `hqq`, `sinq` with `-<bits>-g<group size>`; `nf4`, `nf4-double`; GGUF's `q8_0`,
 * `q6_k`, `q5_k`, `q4_0`, `q4_k`, `q3_k`, `q2_k`; `prune-magnitude-<percent>` and `prune-activation-<percent>`,
 * alone or with `-3bit`, `-4bit`.
 *
 * ```ts
 * import { BASELINES } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const weights = { name: "w", rows: 2, columns: 256, data: new Float32Array(512).fill(0.5) };
 * assert.equal(BASELINES.get("q4_k")!(weights).bytes, 2 * 144);
 * ```
 */
export const BASELINES: ReadonlyMap<string, Baseline> = new Map(entries());

/** Names of the baselines that look at the weights alone. */
const WEIGHTS_ALONE = /^(rtn-sym|rtn-asym|hqq|sinq|nf4|q8_0|prune-magnitude-\d+$)/;

/** Whether a baseline has a use for what calibration finds. */
export function usesCalibration(name: string): boolean {
  return !WEIGHTS_ALONE.test(name);
}
