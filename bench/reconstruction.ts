/**
 * Would a learned reconstruction function help? Levels of the quantizer could stand for values nearer
 * to zero than their own, where most of their targets lie: that lowers the squared error. Compresses
 * the embedded model at one step, moves levels of magnitude 1, 2 and more towards their centroids, by
 * shares of the way and for each kind of matrix, and measures divergence at equal bytes:
 *
 * - after the fact, with the indices as they were;
 * - inside: the path is searched for the moved levels and their errors are fed back;
 * - chosen: inside, the share for each kind of matrix by a search on the calibration text, which
 *   `--search-chunks 0` leaves out.
 *
 *     deno run --allow-all bench/reconstruction.ts
 *     deno run --allow-all bench/reconstruction.ts --step 0.0002 --chunks 100
 *
 * Bytes and divergence of a finer step (a share of the step: `--finer`), without any moves, say what
 * the same bytes would have bought; `--bits` is what metrics are damped for.
 * Calibrates and measures on the embedded texts, or on those of `--calibration` and `--text`.
 */
import type { StateDict } from "../data/mod.ts";
import { indexStatistics } from "../hierarchy/entropy/index_statistics.ts";
import { emptyCounts, fitSymbolModel } from "../hierarchy/entropy/fit_symbol_model.ts";
import { idealBits } from "../hierarchy/entropy/index_code.ts";
import { fitRowColumnScales } from "../hierarchy/entropy/row_column_scales.ts";
import { symbolTables } from "../hierarchy/entropy/symbol_model.ts";
import { createFieldLevel, decodeField } from "../hierarchy/levels/field_level.ts";
import { createTrellis, quantizersOf } from "../hierarchy/scan/trellis.ts";
import { readOptions } from "./support/command_line.ts";
import { openEmbeddedCalibrated, TEXT_OPTIONS } from "./support/theory/calibrated_model.ts";
import { codedMatrices, withMatrices } from "./support/theory/coded_matrices.ts";
import {
  type CentroidSums,
  quantizeShifted,
  shiftLevel,
  type Shifts,
} from "./support/theory/shifted_quantizer.ts";
import { printTable } from "./support/theory/table.ts";

const args = readOptions({
  ...TEXT_OPTIONS,
  step: { type: "string", default: "0.0003" },
  finer: { type: "string", default: "0.9" },
  bits: { type: "string", default: "2" },
  states: { type: "string", default: "8" },
  "search-chunks": { type: "string", default: "12" },
});

const KINDS = ["embedding", "attention", "feed-forward"] as const;
type Kind = typeof KINDS[number];
const kindOf = (name: string): Kind =>
  /\.w[tp]e\./.test(name) ? "embedding" : name.includes("attn") ? "attention" : "feed-forward";

const model = await openEmbeddedCalibrated(args);
const { weights } = model;
const originals = await codedMatrices(weights, model.metrics, Number(args.bits));
const values = originals.reduce((sum, { data }) => sum + data.length, 0);
const states = Number(args.states);
const trellis = createTrellis(states), quantizers = quantizersOf({ states });

interface Coded {
  readonly bits: number;
  readonly weights: StateDict;
  /** Squared error of the targets, in squared steps. */
  readonly error: number;
  /** Moves to where each kind's levels have their centroids. */
  readonly centroids: ReadonlyMap<Kind, Shifts>;
}

/** Shares of the way to the centroids, by kind of matrix. */
type Shares = Readonly<Record<Kind, number>>;
const all = (share: number): Shares => ({
  embedding: share,
  attention: share,
  "feed-forward": share,
});
const NONE = all(0);
let centroids: ReadonlyMap<Kind, Shifts> = new Map();

function shiftsOf(name: string, shares: Shares): Shifts {
  const kind = kindOf(name), [one, two, rest] = centroids.get(kind) ?? [0, 0, 0];
  const share = shares[kind];
  return [share * one, share * two, share * rest];
}

async function encode(step: number, inside: Shares, after: Shares): Promise<Coded> {
  const field = await createFieldLevel({ step }).encode(originals, { seed: 0 });
  const coded = field.output.map((matrix) =>
    quantizeShifted(
      trellis,
      { ...matrix, metric: matrix.metric! },
      shiftsOf(matrix.name, inside),
    )
  );
  // Fields are not refined, to save time: all variants have the same and are compared.
  const matrices = field.output.map(({ rows, columns, data }, i) => {
    return {
      rows,
      columns,
      indices: coded[i]!.indices,
      scales: fitRowColumnScales(data, rows, columns),
    };
  });
  const counts = emptyCounts(quantizers);
  for (const matrix of matrices) indexStatistics.countMagnitudes(trellis, matrix, counts);
  const tables = symbolTables(fitSymbolModel(quantizers, counts));
  const bits = matrices.reduce((sum, matrix) => sum + idealBits(trellis, matrix, tables), 0);
  const moved = field.output.map((matrix, i) => {
    const { values } = coded[i]!, shifts = shiftsOf(matrix.name, after);
    const data = after === NONE ? values : values.map((level) => shiftLevel(shifts, level));
    return { ...matrix, data };
  });
  const decoded = decodeField(field.encoded, moved, originals);
  return {
    bits: bits / values,
    weights: withMatrices(
      weights,
      decoded.map((matrix, i) => ({ ...matrix, transposed: originals[i]!.transposed })),
    ),
    error: coded.reduce((sum, { centroids }) => sum + centroids.squares, 0) / values,
    centroids: centroidsByKind(coded.map(({ centroids }) => centroids)),
  };
}

function centroidsByKind(all: readonly CentroidSums[]): Map<Kind, Shifts> {
  return new Map(KINDS.map((kind) => {
    const own = all.filter((_, i) => kindOf(originals[i]!.name) === kind);
    const shift = (place: number) => {
      let sum = 0, count = 0;
      for (const { sums, counts } of own) {
        sum += sums[place]!;
        count += counts[place]!;
      }
      return sum / Math.max(1, count);
    };
    return [kind, [shift(0), shift(1), shift(2)]];
  }));
}

const step = Number(args.step), finerStep = Number(args.finer) * step;
const plain = await encode(step, NONE, NONE);
const finer = await encode(finerStep, NONE, NONE);
centroids = plain.centroids;
for (const [kind, shifts] of centroids) {
  console.log(
    `${kind}: centroids ${shifts.map((shift) => shift.toFixed(3)).join(", ")} steps lower`,
  );
}

/** Octaves of divergence that a bit per weight buys, from the two steps without moves. */
interface Scale {
  readonly bits: number;
  readonly octavesPerBit: number;
}

type Evaluate = typeof model.evaluate;
async function divergence(coded: Coded, evaluate: Evaluate): Promise<number> {
  return (await evaluate(coded.weights)).klDivergence!.mean;
}

async function measureScale(evaluate: Evaluate): Promise<{ base: number; scale: Scale }> {
  const base = await divergence(plain, evaluate), less = await divergence(finer, evaluate);
  const octavesPerBit = Math.log2(base / less) / (finer.bits - plain.bits);
  return { base, scale: { bits: plain.bits, octavesPerBit } };
}

/** Divergence, as it would be with as many bytes as without moves. */
function atEqualBytes(divergence: number, bits: number, scale: Scale): number {
  return divergence * 2 ** ((bits - scale.bits) * scale.octavesPerBit);
}

/** Shares by kind that do best on the calibration text, one kind after another. */
async function searchShares(): Promise<Shares> {
  const searchChunks = Number(args["search-chunks"]);
  const evaluate = (compressed: StateDict) => model.evaluateOnCalibration(compressed, searchChunks);
  const { base, scale } = await measureScale(evaluate);
  let best = NONE, least = base;
  for (const kind of KINDS) {
    // Further towards the centroids while that helps; away from them where it does not.
    for (const share of [0.25, 0.5, 0.75, -0.25]) {
      const shares = { ...best, [kind]: share };
      if (share < 0 && best[kind] > 0 || share > 0.25 && best[kind] !== share - 0.25) continue;
      const coded = await encode(step, shares, NONE);
      const found = atEqualBytes(await divergence(coded, evaluate), coded.bits, scale);
      console.error(`calibration text, ${kind} ${share}: ${(found / base).toFixed(4)}`);
      if (found < least) [best, least] = [shares, found];
    }
  }
  return best;
}

const { base, scale } = await measureScale(model.evaluate);
const rows: string[][] = [];
async function report(name: string, inside: Shares, after: Shares): Promise<void> {
  const coded = name === "none" ? plain : await encode(step, inside, after);
  const found = await divergence(coded, model.evaluate);
  const equal = atEqualBytes(found, coded.bits, scale);
  const cells = [
    name,
    coded.bits.toFixed(4),
    (coded.error / plain.error).toFixed(3),
    found.toPrecision(4),
    equal.toPrecision(4),
    `${(100 * (equal / base - 1)).toFixed(1)} %`,
  ];
  rows.push(cells);
  console.error(cells.join("  "));
}
await report("none", NONE, NONE);
await report("after the fact, 0.3 of the way", NONE, all(0.3));
for (const share of [0.25, 0.5]) await report(`inside, ${share} of the way`, all(share), NONE);
if (Number(args["search-chunks"]) > 0) {
  const chosen = await searchShares();
  await report(`inside, chosen: ${Object.values(chosen).join(", ")}`, chosen, NONE);
}
console.log();
printTable(
  ["moves", "bits per weight", "squared error", "KL", "KL at equal bytes", "change"],
  rows,
);
