/**
 * How near does the rate code come to the rate-distortion bound, and what takes up the rest? Codes
 * independent Gaussian and Laplacian values and the weights of the embedded model with field and
 * trellis levels, at the step where every byte of every stream adds up to the asked rate, and splits
 * the distance to the bound.
 *
 *     deno run --allow-all bench/rate_distortion.ts --sources gaussian --states 8,256
 *     deno run --allow-all bench/rate_distortion.ts --svg docs/rate-distortion.svg
 *
 * The first checks the goals, the second draws the figure of docs/theory.md. `--json PATH` writes
 * the numbers; `--log2-samples N` changes the number of drawn values from 2^20. Ends with status 1
 * where a goal is missed.
 */
import { endFor, readOptions } from "./support/command_line.ts";
import { measureGap } from "./support/theory/code_gap.ts";
import { type DrawnGap, gapFigure } from "./support/theory/gap_figure.ts";
import {
  gaussianMatrices,
  laplacianMatrices,
  type TestMatrices,
  weightMatrices,
} from "./support/theory/test_matrices.ts";
import { printTable } from "./support/theory/table.ts";

/** Largest mean squared errors for the unit Gaussian, by states and bits. */
const GOALS = new Map([
  [8, new Map([[2, 0.0725], [3, 0.0178], [4, 0.0045]])],
  [256, new Map([[2, 0.0680], [3, 0.0168], [4, 0.0042]])],
]);
/** Largest share by which the streams may exceed the model's ideal length. */
const RANS_GOAL = 0.005;

/**
 * Squared steps that a bit is worth: what did best for independent values. A scalar quantizer's step
 * is about twice as fine for the same error.
 */
const rateWeightOf = (states: number) => states === 1 ? 0.12 : 0.42;
const RATE_PASSES = 10;

const args = readOptions({
  sources: { type: "string", default: "gaussian,laplacian,weights" },
  states: { type: "string", default: "1,8,64,256" },
  bits: { type: "string", default: "2,3,4" },
  "log2-samples": { type: "string", default: "20" },
  "rate-weight": { type: "string" },
  passes: { type: "string", default: `${RATE_PASSES}` },
  svg: { type: "string" },
  json: { type: "string" },
});

async function testMatrices(name: string): Promise<TestMatrices> {
  const samples = 2 ** Number(args["log2-samples"]);
  if (name === "gaussian") return gaussianMatrices(samples);
  if (name === "laplacian") return laplacianMatrices(samples);
  if (name === "weights") return await weightMatrices();
  return endFor(`--sources: ${name} is not gaussian, laplacian or weights`);
}

const numbers = (list: string) => list.split(",").map(Number);
const measured: (DrawnGap & { rate: number; bound: number; goal?: number })[] = [];
for (const source of args.sources.split(",")) {
  const { name, matrices, bound } = await testMatrices(source);
  for (const states of numbers(args.states)) {
    for (const rate of numbers(args.bits)) {
      const options = {
        states,
        rateWeight: Number(args["rate-weight"] ?? rateWeightOf(states)),
        ratePasses: Number(args.passes),
      };
      const gap = await measureGap(matrices, rate, options, bound);
      const goal = source === "gaussian" ? GOALS.get(states)?.get(rate) : undefined;
      measured.push({
        ...gap,
        source: name,
        states,
        rate,
        bound: bound.distortionAt(rate),
        ...(goal === undefined ? {} : { goal }),
      });
      console.error(`${name}, ${states} states, ${rate} bits: ${gap.gap.toFixed(4)} bits above`);
    }
  }
}

const isMet = ({ bits, rate, distortion, goal = Infinity }: typeof measured[number]) =>
  bits <= rate && distortion <= goal;
printTable(
  [
    "source",
    "states",
    "bits",
    "error",
    "goal",
    "",
    "D(R)",
    "gap",
    "shape",
    "model",
    "rANS",
    "side",
  ],
  measured.map((gap) => [
    gap.source,
    `${gap.states}`,
    gap.bits.toFixed(4),
    gap.distortion.toFixed(5),
    gap.goal?.toFixed(4) ?? "",
    gap.goal === undefined ? "" : isMet(gap) ? "met" : "MISSED",
    gap.bound.toFixed(5),
    ...[gap.gap, gap.shape, gap.entropyModel, gap.rans, gap.sideInformation]
      .map((bits) => bits.toFixed(4)),
  ]),
);
const worst = Math.max(...measured.map(({ ransShare }) => ransShare));
console.log(
  `rANS: at most ${(100 * worst).toFixed(3)} % longer than the model's ideal length, ` +
    `goal ${100 * RANS_GOAL} %: ${worst <= RANS_GOAL ? "met" : "MISSED"}`,
);
if (args.json !== undefined) {
  await Deno.writeTextFile(args.json, JSON.stringify(measured, undefined, 2) + "\n");
}
if (args.svg !== undefined) await Deno.writeTextFile(args.svg, gapFigure(measured));
if (worst > RANS_GOAL || !measured.every(isMet)) Deno.exit(1);
