import type { DataSet } from "../engine/objective.ts";
import type { Samples } from "../numeric/least_squares.ts";
import { createRandom, type Random } from "../numeric/random.ts";

/** What the steps of a training run see of the data. */
export interface Batches {
  /** The next batch; each pass over the data is a new permutation, without repetition. */
  next(): DataSet;
  /** The inputs of at most `count` samples, drawn without repetition. */
  sample(count: number): Samples;
}

/** Batches of `size` samples; all data each time if omitted. Only batches draw from `random`. */
export function drawBatches(data: DataSet, size: number | undefined, random: Random): Batches {
  const rows = data.inputs.rows;
  const batches = size === undefined || size >= rows ? () => data : permute(data, size, random);
  const own = createRandom(0);
  return {
    next: batches,
    sample(count) {
      if (count >= rows) return data.inputs;
      return selectRows(data.inputs, shuffle(rows, own).slice(0, count));
    },
  };
}

function permute(data: DataSet, size: number, random: Random): () => DataSet {
  const rows = data.inputs.rows;
  let order = Array.from({ length: rows }, (_, row) => row), at = rows;
  return () => {
    if (at + size > rows) {
      order = shuffle(order, random);
      at = 0;
    }
    const chosen = order.slice(at, at += size);
    return { inputs: selectRows(data.inputs, chosen), targets: selectRows(data.targets, chosen) };
  };
}

/** The numbers in another order (Fisher-Yates), or those below a count. */
function shuffle(numbers: readonly number[] | number, random: Random): number[] {
  const order = typeof numbers === "number"
    ? Array.from({ length: numbers }, (_, i) => i)
    : [...numbers];
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

function selectRows(samples: Samples, rows: readonly number[]): Samples {
  const { columns } = samples;
  const data = new Float64Array(rows.length * columns);
  rows.forEach((row, at) => {
    data.set(samples.data.subarray(row * columns, (row + 1) * columns), at * columns);
  });
  return { rows: rows.length, columns, data };
}
