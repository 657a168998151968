import { readStateDict } from "../../../eval/mod.ts";
import { openModel } from "../../../data/open_model.ts";
import { HierarchicalCompressor } from "../../../hierarchy/compressor.ts";
import { createRandom } from "../../../kan/numeric/random.ts";

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

/** Prints what the columns of {@linkcode printRates} are. */
export function printHeader(): void {
  const columns = ["bits per weight", "states", "code streams", "whole file"];
  console.log(
    "".padEnd(16) + columns.map((column) => column.padStart(17)).join("") +
      `   (million weights per second; goal: ${GOAL})`,
  );
}

/** Prints a line of a sample's rates, in million weights per second. */
export function printRates({ name, bits, states }: Sample, rates: readonly number[]): void {
  const cells = [bits, states, ...rates.map((rate) => rate.toFixed(1))];
  console.log(name.padEnd(16) + cells.map((cell) => `${cell}`.padStart(17)).join(""));
}
