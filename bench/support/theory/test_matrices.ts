import { CLASSES_PER_OCTAVE, UNIT_CLASS } from "../../../hierarchy/format/constants.ts";
import { openModel } from "../../../data/mod.ts";
import { readStateDict } from "../../../eval/mod.ts";
import { classOf, fitRowColumnScales } from "../../../hierarchy/entropy/row_column_scales.ts";
import type { Matrices, Matrix } from "../../../hierarchy/matrix/matrix.ts";
import { createRandom } from "../../../kan/mod.ts";
import { gaussianBound, type RateBound, scaledBound } from "./bound.ts";
import { empiricalSource, laplacian } from "./sources.ts";

/** Values to code, of variance 1, and the bound of what they were drawn from. */
export interface TestMatrices {
  readonly name: string;
  readonly matrices: Matrices;
  readonly bound: RateBound;
}

const COLUMNS = 1024;

function drawn(name: string, samples: number, draw: () => number): Matrix {
  const data = Float32Array.from({ length: samples }, draw);
  return { name, rows: samples / COLUMNS, columns: COLUMNS, data };
}

/** Independent normal samples; `samples` is a multiple of 1024. */
export function gaussianMatrices(samples: number): TestMatrices {
  const random = createRandom(1);
  const matrices = [drawn("gaussian", samples, () => random.normal())];
  return { name: "Gaussian", matrices, bound: gaussianBound() };
}

/** Independent samples of a Laplacian of variance 1. */
export function laplacianMatrices(samples: number): TestMatrices {
  const random = createRandom(2);
  const draw = () => {
    const u = random.uniform() - 0.5;
    return -Math.sign(u) * Math.log(1 - 2 * Math.abs(u)) * Math.SQRT1_2;
  };
  const bound = scaledBound(laplacian, [{ scale: 1, share: 1 }]);
  return { name: "Laplacian", matrices: [drawn("laplacian", samples, draw)], bound };
}

/**
 * All matrices of the embedded model, each scaled to variance 1. Their bound takes the weights for
 * independent, given a scale that is a row's times a column's, and of the shape that they then have.
 */
export async function weightMatrices(): Promise<TestMatrices> {
  const dict = await readStateDict(await openModel());
  const matrices: Matrix[] = [];
  for (const [name, { shape, data }] of dict) {
    if (shape.length !== 2) continue;
    const [rows, columns] = shape as [number, number];
    const energy = data.reduce((sum, value) => sum + value * value, 0);
    const scale = Math.sqrt(energy / data.length);
    matrices.push({ name, rows, columns, data: data.map((value) => value / scale) });
  }
  return { name: "embedded model", matrices, bound: weightBound(matrices) };
}

function weightBound(matrices: Matrices): RateBound {
  const values = matrices.reduce((sum, { data }) => sum + data.length, 0);
  const normalized = new Float32Array(values);
  const shares = new Map<number, number>();
  let at = 0;
  for (const { data, rows, columns } of matrices) {
    const scales = fitRowColumnScales(data, rows, columns);
    for (let i = 0, from = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, from++) {
        const index = classOf(scales.rows[i]! + scales.columns[j]!);
        normalized[at++] = data[from]! / scaleOf(index);
        shares.set(index, (shares.get(index) ?? 0) + 1 / values);
      }
    }
  }
  const parts = Array.from(shares, ([index, share]) => ({ scale: scaleOf(index), share }));
  return scaledBound(empiricalSource(normalized), parts);
}

function scaleOf(index: number): number {
  return 2 ** ((index - UNIT_CLASS) / CLASSES_PER_OCTAVE);
}
