import {
  BUMPED_MAGNITUDES,
  CLASS_COUNT,
  CLASSES_PER_OCTAVE,
  UNIT_CLASS,
} from "../../../hierarchy/format/constants.ts";
import { type MagnitudeCounts, MAGNITUDES } from "../../../hierarchy/entropy/fit_symbol_model.ts";
import { rawBitsOf } from "../../../hierarchy/entropy/symbol_model.ts";
import { createSymbolTable, type SymbolTables } from "../../../hierarchy/entropy/symbol_table.ts";

/** Symmetric densities that differ in width, and as a rule in one more parameter. */
export interface DensityFamily {
  readonly name: string;
  /** log2 of the parameter to begin with, and the largest; undefined where there is none. */
  readonly start?: number;
  readonly largest?: number;
  /** The density of magnitude u, on any scale, for a value of the parameter. */
  density(u: number, parameter: number): number;
}

/** What reviewers ask for. */
export const DENSITY_FAMILIES: readonly DensityFamily[] = [
  { name: "Gaussian", density: (u) => Math.exp(-u * u / 2) },
  { name: "Laplacian", density: (u) => Math.exp(-u) },
  { name: "logistic", density: (u) => Math.exp(-u) / (1 + Math.exp(-u)) ** 2 },
  {
    name: "Student t",
    start: 3,
    // Gaussian for all that tables tell apart.
    largest: 10,
    density: (u, freedom) => (1 + u * u / freedom) ** (-(freedom + 1) / 2),
  },
  {
    name: "generalised Gaussian",
    start: 0.5,
    largest: 4,
    density: (u, power) => Math.exp(-(u ** power)),
  },
];

/** A member of a family that symbols are coded by. */
export interface DensityModel {
  readonly family: DensityFamily;
  /**
   * log2 of the width that scale 1 stands for, then of the family's parameter if it has one, then, if
   * they are fitted, of factors of the magnitudes 0, 1 and 2 in each of the two quantizers.
   */
  readonly parameters: readonly number[];
}

/** Points of the tabulated integral: octaves of u, and points an octave. */
const LOWEST = -16, HIGHEST = 12, POINTS = 128;

/** The integral of a density from u on, as a function of u, by Simpson's rule. */
export function survival(
  { density }: DensityFamily,
  parameter: number,
): (u: number) => number {
  const count = (HIGHEST - LOWEST) * POINTS + 1;
  const places = Float64Array.from({ length: count }, (_, i) => 2 ** (LOWEST + i / POINTS));
  const beyond = new Float64Array(count);
  for (let i = count - 2; i >= 0; i--) {
    const [from, to] = [places[i]!, places[i + 1]!];
    const mean = (density(from, parameter) + 4 * density((from + to) / 2, parameter) +
      density(to, parameter)) / 6;
    beyond[i] = beyond[i + 1]! + (to - from) * mean;
  }
  const whole = beyond[0]! + places[0]! * density(0, parameter);
  return (u) => {
    if (u <= places[0]!) return 0.5;
    const position = (Math.log2(u) - LOWEST) * POINTS;
    const at = Math.min(Math.floor(position), count - 2);
    const [from, to] = [places[at]!, places[at + 1]!];
    const share = Math.min((u - from) / (to - from), 1);
    return (beyond[at]! + share * (beyond[at + 1]! - beyond[at]!)) / (2 * whole);
  };
}

/** Where the cell of a bucket's magnitude begins, in steps: halfway between reconstructions. */
function cellStart(quantizer: number, magnitude: number, rawBits: number): number {
  if (magnitude === 0) return 0;
  if (rawBits > 0 || quantizer === 0) return (2 * magnitude - 1) * 2 ** rawBits;
  // The second quantizer has 0, ±1, ±3, ±5, …
  return magnitude === 1 ? 0.5 : 2 * magnitude - 2;
}

function hasFactors({ family, parameters }: DensityModel): boolean {
  return parameters.length > (family.start === undefined ? 1 : 2);
}

/** What an escape costs, about: no symbol is rarer, however thin a density's tail. */
const RAREST = 2 ** -24;

/** Shares of bucket magnitudes, of one sign, in the classes of both quantizers that are used. */
function* magnitudeShares(
  model: DensityModel,
  isUsed: (cell: number) => boolean = () => true,
): Iterable<[cell: number, shares: Float64Array]> {
  const { family, parameters } = model;
  const beyond = survival(family, 2 ** (family.start === undefined ? 0 : parameters[1]!));
  const factors = hasFactors(model) ? parameters.slice(-2 * BUMPED_MAGNITUDES) : [];
  for (let quantizer = 0; quantizer < 2; quantizer++) {
    for (let index = 0; index < CLASS_COUNT; index++) {
      if (!isUsed(quantizer * CLASS_COUNT + index)) continue;
      const rawBits = rawBitsOf(2, index);
      const scale = 2 ** ((index - UNIT_CLASS) / CLASSES_PER_OCTAVE + parameters[0]!);
      const tail = (a: number) => beyond(cellStart(quantizer, a, rawBits) / scale);
      const shares = new Float64Array(MAGNITUDES);
      let next = tail(0);
      for (let a = 0; a < MAGNITUDES; a++) {
        const after = tail(a + 1);
        const factor = rawBits === 0 && a < BUMPED_MAGNITUDES
          ? 2 ** (factors[quantizer * BUMPED_MAGNITUDES + a] ?? 0)
          : 1;
        // Both halves of the cell of zero.
        shares[a] = Math.max((a === 0 ? 2 : 1) * (next - after) * factor, RAREST);
        next = after;
      }
      yield [quantizer * CLASS_COUNT + index, shares];
    }
  }
}

/** The tables that a decoder would make of a model. */
export function densityTables(model: DensityModel): SymbolTables {
  const tables = Array.from(
    magnitudeShares(model),
    ([cell, shares]) => createSymbolTable(shares, rawBitsOf(2, cell % CLASS_COUNT)),
  );
  return [tables.slice(0, CLASS_COUNT), tables.slice(CLASS_COUNT)];
}

/** Bits of counted magnitudes under a model whose probabilities are not rounded. */
function bitsOf(model: DensityModel, counts: MagnitudeCounts): number {
  let bits = 0;
  const seenIn = (cell: number) => counts.subarray(cell * MAGNITUDES, (cell + 1) * MAGNITUDES);
  for (const [cell, shares] of magnitudeShares(model, (cell) => seenIn(cell).some((n) => n > 0))) {
    const seen = seenIn(cell);
    let count = 0, total = shares[0]!;
    for (let a = 1; a < MAGNITUDES; a++) total += 2 * shares[a]!;
    for (let a = 0; a < MAGNITUDES; a++) {
      if (seen[a] === 0) continue;
      count += seen[a]!;
      bits -= seen[a]! * Math.log2(shares[a]!);
    }
    bits += count * Math.log2(total);
  }
  return bits;
}

/** The model before any fit. */
export function firstDensity(family: DensityFamily, factors: boolean): DensityModel {
  const shape = family.start === undefined ? [] : [family.start];
  return {
    family,
    parameters: [0, ...shape, ...new Array(factors ? 2 * BUMPED_MAGNITUDES : 0).fill(0)],
  };
}

/** Moves of parameters that are tried, in octaves: ever smaller ones. */
const MOVES = [0.5, 0.2, 0.08, 0.03, 0.01, 0.004];

/**
 * The member of a family under which counted magnitudes take the fewest bits: a pattern search of Hooke
 * and Jeeves, whose moves along valleys grow.
 */
export function fitDensity(start: DensityModel, counts: MagnitudeCounts): DensityModel {
  const { family } = start;
  const bitsAt = (parameters: readonly number[]) =>
    family.start !== undefined && parameters[1]! > family.largest!
      ? Infinity
      : bitsOf({ family, parameters }, counts);
  let best = start.parameters, least = bitsAt(best);
  const attempt = (parameters: readonly number[]): boolean => {
    const bits = bitsAt(parameters);
    // What is not worth a bit in all is not worth a search.
    if (!(bits < least - 1e-8 * least)) return false;
    [best, least] = [parameters, bits];
    return true;
  };
  for (const move of MOVES) {
    for (let moved = true; moved;) {
      moved = false;
      const before = best;
      for (let at = 0; at < best.length; at++) {
        const by = (step: number) => attempt(best.with(at, best[at]! + step));
        if (by(move) || by(-move)) moved = true;
      }
      const along = best.map((value, at) => value - before[at]!);
      while (moved && attempt(best.map((value, at) => value + along[at]!)));
    }
  }
  return { family, parameters: best };
}
