import type { DType, TensorInfo } from "../../data/tensor.ts";
import { templateOf } from "../format/name_template.ts";

/** A tensor as the file's header lists it. */
export interface StoredTensor extends TensorInfo {
  /** Element type of its bytes in the stream `exact`; absent where the levels code it. */
  readonly stored?: DType;
  /** Whether the levels code the transposed matrix, so that its rows are the layer's inputs. */
  readonly transposed?: true;
}

/** One row of the header: a tensor, or one tensor in each of `count` layers. */
export interface TensorRow extends StoredTensor {
  /** How many tensors the row stands for: `#` in the name counts from 0. */
  readonly count?: number;
}

/**
 * Shortens a list of tensors: those that differ only in one number of their names, counting from 0,
 * become one row. Headers of small models are mostly names.
 */
export function foldTensors(tensors: readonly StoredTensor[]): TensorRow[] {
  const groups = new Map<string, StoredTensor[]>();
  for (const tensor of tensors) {
    const { name, ...rest } = tensor;
    const key = JSON.stringify([templateOf(name) ?? name, rest]);
    groups.set(key, [...groups.get(key) ?? [], tensor]);
  }
  return [...groups.values()].flatMap(foldGroup);
}

/**
 * The tensors that rows stand for, in the order in which their values are coded. Rows that follow each
 * other and have the same `count` are taken together, layer by layer: so a reader has whole layers
 * while the rest of a file is still on its way.
 */
export function unfoldTensors(rows: readonly TensorRow[]): StoredTensor[] {
  const tensors: StoredTensor[] = [];
  for (let begin = 0, end = 0; begin < rows.length; begin = end) {
    const { count } = rows[begin]!;
    while (rows[end]?.count === count && end < rows.length) end++;
    const run = rows.slice(begin, end).map(({ count: _, ...tensor }) => tensor);
    if (count === undefined) tensors.push(...run);
    for (let layer = 0; layer < (count ?? 0); layer++) {
      for (const tensor of run) {
        tensors.push({ ...tensor, name: tensor.name.replace("#", String(layer)) });
      }
    }
  }
  return tensors;
}

function foldGroup(group: readonly StoredTensor[]): TensorRow[] {
  const template = templateOf(group[0]!.name);
  if (template === undefined || group.length === 1) return [...group];
  const row = { ...group[0]!, name: template, count: group.length };
  const names = new Set(group.map(({ name }) => name));
  return unfoldTensors([row]).every(({ name }) => names.has(name)) ? [row] : [...group];
}
