import type {
  LinearDescription,
  NormDescription,
  TransformerDescription,
} from "../architectures/description.ts";
import type { CacheLayout } from "./cache_layout.ts";
import { type Multiplier, multiply, type ProductOptions } from "./products.ts";
import type { Rows, Workspace } from "./workspace.ts";

/** What a pass is over. */
export interface PassJob {
  /** Number of sequences. */
  readonly sequences: number;
  /** Tokens of each in this pass; their ids and rotations are in the workspace. */
  readonly length: number;
  /** Tokens of each before this pass. */
  readonly start: number;
  /** Whether logits after the last tokens are wanted. */
  readonly wantsLogits: boolean;
  /** Where keys and values are, and how. */
  readonly cacheAt: number;
  readonly cache: CacheLayout;
}

/** One of the threads that run a pass together, each the same code on a part of everything. */
export interface PassThread extends Multiplier {
  readonly model: TransformerDescription;
  readonly memory: WebAssembly.Memory;
  readonly workspace: Workspace;
  /** Number of this thread, and how many there are. */
  readonly index: number;
  readonly count: number;
  /** Waits until all threads have come here. */
  barrier(): void;
}

/** A thread's part of `total` things, in whole groups of `unit`. */
export function partOf(
  { index, count }: Pick<PassThread, "index" | "count">,
  total: number,
  unit = 1,
): readonly [start: number, end: number] {
  const groups = Math.ceil(total / unit);
  const at = (thread: number) => Math.min(total, Math.floor(groups * thread / count) * unit);
  return [at(index), at(index + 1)];
}

/** Calls `work` with the numbers of a thread's rows among `total`. */
export function forRows(thread: PassThread, total: number, work: (row: number) => void): void {
  const [start, end] = partOf(thread, total);
  for (let row = start; row < end; row++) work(row);
}

/** Address of a row. */
export function rowAt({ at, bytes }: Rows, row: number): number {
  return at + row * bytes;
}

/** A row of a matrix as floats. */
export function expandRow(
  { kernels, weights }: PassThread,
  name: string,
  row: number,
  to: number,
): void {
  const matrix = weights.matrices.get(name)!;
  const { stride } = matrix;
  if (matrix.form === "floats") {
    return kernels.floats.expandFloats(matrix.kind, matrix.at, row, stride, to);
  }
  const { planes, columnFactors, sparse } = matrix;
  planes.forEach(({ at, factors }, plane) =>
    kernels.bytes.expandBytes(at, row, stride, columnFactors, factors, plane, to)
  );
  if (sparse === undefined) return;
  const { starts, places, values } = sparse;
  kernels.bytes.expandSparse(starts, places, values, planes[0]!.factors, columnFactors, row, to);
}

/** Normalizes one row. */
export function normalize(
  { kernels, weights }: PassThread,
  { kind, weight, bias, size, epsilon, weightOffset = 0 }: NormDescription,
  x: number,
  to: number,
): void {
  kernels.normalize(
    x,
    to,
    size,
    kind === "layerNorm" ? 1 : 0,
    epsilon,
    weights.vectors.get(weight)!,
    weightOffset,
    bias === undefined ? 0 : weights.vectors.get(bias)!,
  );
}

/** A thread's rows, normalized. */
export function normalizeRows(
  thread: PassThread,
  norm: NormDescription,
  rows: number,
  from: Rows,
  to: Rows,
): void {
  forRows(thread, rows, (row) => normalize(thread, norm, rowAt(from, row), rowAt(to, row)));
}

/** A thread's outputs of a product. */
export function multiplyPart(
  thread: PassThread,
  linear: LinearDescription,
  x: Rows,
  rows: number,
  y: Rows,
  options: ProductOptions = {},
): void {
  multiply(thread, linear, partOf(thread, linear.outputs, 4), x, rows, y, options);
}
