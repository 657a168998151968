import { symbolBits } from "../../../hierarchy/entropy/symbol_table.ts";
import { createFieldLevel, decodeField } from "../../../hierarchy/levels/field_level.ts";
import type { EncodedLevel } from "../../../hierarchy/levels/level.ts";
import type { Matrices } from "../../../hierarchy/matrix/matrix.ts";
import { decodeIndices, decodeTrellis } from "../../../hierarchy/levels/trellis_codec.ts";
import {
  createTrellisLevel,
  type TrellisLevelOptions,
} from "../../../hierarchy/levels/trellis_level.ts";
import { meetSize } from "../../../hierarchy/rate/meet_size.ts";
import { estimateRate } from "../../../hierarchy/rate/rate_estimate.ts";
import type { RateBound } from "./bound.ts";

/**
 * A code at one rate, and what separates it from the rate-distortion bound; all in bits per value.
 */
export interface CodeGap {
  /** Every byte of every stream. */
  readonly bits: number;
  /** Mean squared error. */
  readonly distortion: number;
  /** `bits` less the bound's at this distortion: the sum of the four parts below. */
  readonly gap: number;
  /** Fields and coefficients of the entropy model, and the step field. */
  readonly sideInformation: number;
  /** Real length of the code streams less the ideal length under the model's tables. */
  readonly rans: number;
  /** That ideal length less the entropy of the indices given quantizer and class. */
  readonly entropyModel: number;
  /** That entropy less the bound: what even the best tables could not win. */
  readonly shape: number;
  /** Share of the ideal length that the real length is longer by. */
  readonly ransShare: number;
}

interface Coded {
  readonly streams: readonly EncodedLevel[];
  readonly decoded: Matrices;
}

/** Codes matrices with a field and a trellis level. */
async function code(
  matrices: Matrices,
  step: number,
  options: TrellisLevelOptions,
): Promise<Coded> {
  const context = { seed: 0 };
  const field = await createFieldLevel({ step }).encode(matrices, context);
  const trellis = await createTrellisLevel(options).encode(field.output, context);
  const quotients = decodeTrellis(trellis.encoded, [], matrices);
  return {
    streams: [field.encoded, trellis.encoded],
    decoded: decodeField(field.encoded, quotients, matrices),
  };
}

/**
 * Codes matrices at a rate in bits per value, which is not exceeded, and measures how far that is
 * from `bound`. The length is not quite smooth in the step, so of all trials the longest is taken
 * that is not longer than asked: as a rule within 0.05 % of the rate.
 */
export async function measureGap(
  matrices: Matrices,
  bits: number,
  options: TrellisLevelOptions,
  bound: RateBound,
): Promise<CodeGap> {
  const values = matrices.reduce((sum, { data }) => sum + data.length, 0);
  const encodeAt = async (logStep: number) => {
    const coded = await code(matrices, 2 ** logStep, options);
    const bytes = streamBytes(coded.streams);
    return { value: bytes, made: { bytes, value: coded } };
  };
  const estimate = estimateRate(matrices, options.states === 1 ? 1 : 2);
  const search = { estimate, overhead: 0, parameters: values, values, tolerance: 5e-4 };
  const { bytes, value } = await meetSize(encodeAt, bits * values / 8, search);
  const trellis = value.streams[1]!;
  const codes = streamBytes([trellis], "codes");
  const { ideal, entropy } = indexBits(trellis, matrices);
  const distortion = squaredError(matrices, value.decoded) / values;
  const least = bound.bitsAt(distortion);
  return {
    bits: 8 * bytes / values,
    distortion,
    gap: 8 * bytes / values - least,
    sideInformation: 8 * (bytes - codes) / values,
    rans: (8 * codes - ideal) / values,
    entropyModel: (ideal - entropy) / values,
    shape: entropy / values - least,
    ransShare: 8 * codes / ideal - 1,
  };
}

function streamBytes(levels: readonly EncodedLevel[], prefix = ""): number {
  let bytes = 0;
  for (const { streams } of levels) {
    for (const [name, stream] of streams) if (name.startsWith(prefix)) bytes += stream.length;
  }
  return bytes;
}

function squaredError(matrices: Matrices, decoded: Matrices): number {
  let sum = 0;
  matrices.forEach(({ data }, i) => {
    const other = decoded[i]!.data;
    for (let j = 0; j < data.length; j++) sum += (data[j]! - other[j]!) ** 2;
  });
  return sum;
}

/** Bits of all indices: ideal under the model's tables, and by their own frequencies. */
function indexBits(trellis: EncodedLevel, matrices: Matrices): { ideal: number; entropy: number } {
  let ideal = 0;
  /** Counts by quantizer and class, then by index. */
  const counts = new Map<number, Map<number, number>>();
  decodeIndices(trellis, matrices, ({ trellis: machine, tables, classes, indices, state }) => {
    for (let i = 0; i < indices.length; i++) {
      const quantizer = state & 1, k = indices[i]!, index = classes[i]!;
      ideal += symbolBits(tables[quantizer]![index]!, k);
      const cell = 2 * index + quantizer;
      let cellCounts = counts.get(cell);
      if (cellCounts === undefined) counts.set(cell, cellCounts = new Map());
      cellCounts.set(k, (cellCounts.get(k) ?? 0) + 1);
      state = machine.transitions[2 * state + (k & 1)]!;
    }
  });
  let entropy = 0;
  for (const cell of counts.values()) {
    let total = 0;
    for (const count of cell.values()) total += count;
    for (const count of cell.values()) entropy += count * Math.log2(total / count);
  }
  return { ideal, entropy };
}
