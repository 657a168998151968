import { transpose } from "../../../data/transpose.ts";
import type { Container } from "../../../hierarchy/file/container.ts";
import { codedTensors } from "../../../hierarchy/file/decode_groups.ts";
import { withoutGains } from "../../../hierarchy/gains.ts";
import { codedForm, levelShapes } from "../../../hierarchy/levels/level_codecs.ts";
import type { EncodedLevel } from "../../../hierarchy/levels/level.ts";
import { createTrellisLevel } from "../../../hierarchy/levels/trellis_level.ts";
import type { RowColumnFactors } from "../../../hierarchy/matrix/coded_matrix.ts";
import { quantizeMatrix } from "../../../hierarchy/quantize/quantize_matrix.ts";
import { forEachDiagonal } from "../../../hierarchy/scan/pieces.ts";
import { createTrellis, reconstruct, type Trellis } from "../../../hierarchy/scan/trellis.ts";
import type { CodingWorkers } from "../../../hierarchy/workers/coding_workers.ts";
import { finish } from "../../../workers/steps.ts";

/** The codes of a tensor, and what of them stays while single ones change. */
export interface CodePath {
  /** The tensor's name. */
  readonly name: string;
  /** Whether the tensor is stored turned. */
  readonly transposed: boolean;
  readonly rows: number;
  readonly columns: number;
  /** What each code stands for, in steps, row by row: may be changed to a {@linkcode nextLevel}. */
  readonly levels: Float32Array;
  /** Which of the trellis' two quantizers each value has: the parities before it say. */
  readonly quantizers: Uint8Array;
  /** What levels are multiplied by. */
  readonly factors: RowColumnFactors;
}

/** The codes of all matrices, and the trellis that they are paths through. */
export interface CodePaths {
  readonly trellis: Trellis;
  readonly paths: readonly CodePath[];
}

/** The codes of a file of the preset rate; its gains are no part of them. */
export function openPaths(container: Container): CodePaths {
  const plain = withoutGains(container);
  const { tensors, shapes } = codedTensors(plain.tensors);
  const { factors, integers } = codedForm(plain.stages, shapes)!;
  const [[, coder]] = plain.stages as [[EncodedLevel, EncodedLevel]];
  const trellis = createTrellis(Number(coder.parameters["states"]));
  const paths = finish(integers()).map(({ data }, i): CodePath => {
    const { name, transposed = false } = tensors[i]!;
    const { rows, columns } = shapes[i]!;
    const quantizers = new Uint8Array(data.length);
    forEachDiagonal({ rows, columns }, ({ row, column, length }, start) => {
      let state = start;
      for (let t = 0; t < length; t++) {
        const at = (row + t) * columns + column - t;
        quantizers[at] = state & 1;
        const index = indexOf(trellis, state & 1, data[at]!);
        state = trellis.transitions[2 * state + (index & 1)]!;
      }
      return state;
    });
    return {
      ...{ name, transposed, rows, columns },
      ...{ levels: data, quantizers, factors: factors[i]! },
    };
  });
  return { trellis, paths };
}

/**
 * The nearest level above or below one whose index has the same parity, so that all other codes of the
 * path may stay as they are: one step away with one state, two to four with more.
 */
export function nextLevel(
  trellis: Trellis,
  { quantizer, level, up }: {
    readonly quantizer: number;
    readonly level: number;
    readonly up: boolean;
  },
): number {
  const stride = trellis.states === 1 ? 1 : 2;
  const index = indexOf(trellis, quantizer, level);
  return reconstruct(trellis, quantizer, up ? index + stride : index - stride);
}

function indexOf({ states }: Trellis, quantizer: number, level: number): number {
  if (states === 1) return level;
  return quantizer === 0 ? level / 2 : (level + Math.sign(level)) / 2;
}

/** Searches a matrix' path anew, for the least squared error from targets in steps; gives what changed. */
export function searchPath(
  trellis: Trellis,
  { name, rows, columns, levels, quantizers }: CodePath,
  targets: Float32Array,
): number {
  const indices = quantizeMatrix(trellis, { name, rows, columns, data: targets });
  let changed = 0;
  forEachDiagonal({ rows, columns }, ({ row, column, length, position }, start) => {
    let state = start;
    for (let t = 0; t < length; t++) {
      const at = (row + t) * columns + column - t, index = indices[position + t]!;
      const level = reconstruct(trellis, state & 1, index);
      if (level !== levels[at]) changed++;
      levels[at] = level;
      quantizers[at] = state & 1;
      state = trellis.transitions[2 * state + (index & 1)]!;
    }
    return state;
  });
  return changed;
}

/** The weights that codes stand for, in the order in which the tensor is stored. */
export function weightsOf({ transposed, rows, columns, levels, factors }: CodePath): Float32Array {
  const values = new Float32Array(levels.length);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      values[at] = levels[at]! * (factors.rows[row]! * factors.columns[column]!);
    }
  }
  return transposed ? transpose(values, rows, columns) : values;
}

/** The same file with these codes, and an entropy model that is fit to them. */
export async function withPaths(
  container: Container,
  { trellis: { states }, paths }: CodePaths,
  workers: CodingWorkers,
): Promise<Container> {
  const { shapes } = codedTensors(container.tensors);
  const [stage] = container.stages as [[EncodedLevel, EncodedLevel]];
  const inner = levelShapes(stage, shapes)[1]!;
  // Targets that lie on a path are quantized to that path.
  const matrices = paths.map(({ levels }, i) => ({ ...inner[i]!, data: levels }));
  const context = { seed: 0, workers };
  const { encoded } = await createTrellisLevel({ states }).encode(matrices, context);
  return { ...container, stages: [[stage[0], encoded]] };
}
