import { readStateDict } from "../../../eval/mod.ts";
import { openModel } from "../../../data/open_model.ts";
import { HierarchicalCompressor } from "../../../hierarchy/compressor.ts";
import { createRandom } from "../../../kan/numeric/random.ts";
import { printTable } from "../theory/table.ts";

/** Million weights per second that decoding is to reach on one core. */
export const GOAL = 40;

/** A compressed file to decode. */
export interface Sample {
  /** What it holds. */
  readonly name: string;
  /** Bits a weight of the whole file. */
  readonly bits: number;
  /** Trellis states. */
  readonly states: number;
  /** The file. */
  readonly bytes: Uint8Array;
}

/**
 * Compressed files: a square matrix of Gaussian values, whose rows and columns are all alike, and the
 * embedded model, with all its scales.
 */
export async function* codedSamples(): AsyncGenerator<Sample> {
  const random = createRandom(1);
  const shape = [1536, 1536] as const;
  const data = Float32Array.from({ length: shape[0] * shape[1] }, () => random.normal() * 0.02);
  const gaussian = new Map([["weight", { dtype: "F32" as const, shape, data }]]);
  const model = await readStateDict(await openModel());
  for (const [name, weights] of [["Gaussian", gaussian], ["embedded model", model]] as const) {
    for (const bits of [2, 4]) {
      for (const states of [1, 8, 256, 4096]) {
        const compressor = new HierarchicalCompressor({ bits, states });
        yield { name, bits, states, bytes: (await compressor.compress(weights)).bytes };
      }
    }
  }
}

/** A sample's rates, in million weights per second. */
export interface SampleRates extends Omit<Sample, "bytes"> {
  /** Of the code streams: rANS, entropy model, order. */
  readonly codes: number;
  /** Of the whole file: steps and transposing too. */
  readonly whole: number;
}

/** Prints what an engine reached with every sample, and the medians. */
export function printRates(engine: string, samples: readonly SampleRates[]): void {
  console.log(`million weights per second; goal: ${GOAL}\n`);
  printTable(
    ["", "bits per weight", "states", "code streams", "whole file"],
    samples.map(({ name, bits, states, codes, whole }) => [
      ...[name, `${bits}`, `${states}`, codes.toFixed(1), whole.toFixed(1)],
    ]),
  );
  const median = (values: readonly number[]) =>
    values.toSorted((a, b) => a - b)[values.length >> 1]!.toFixed(0);
  console.log();
  printTable(["", engine], [
    ["code streams: rANS, entropy model, order", median(samples.map(({ codes }) => codes))],
    ["whole file: steps and transposing too", median(samples.map(({ whole }) => whole))],
  ]);
}
