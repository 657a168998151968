import { firstWhere } from "../../../hierarchy/matrix/first_where.ts";
import type { Source } from "./blahut_arimoto.ts";

/** The Laplacian of variance 1. */
export const laplacian: Source = {
  cumulative: (x) => {
    const tail = Math.exp(-Math.abs(x) * Math.SQRT2) / 2;
    return x < 0 ? tail : 1 - tail;
  },
  reach: 12,
};

/** The distribution of samples, made even; steps are smoothed over neighbouring samples. */
export function empiricalSource(samples: Float32Array): Source {
  const magnitudes = samples.map(Math.abs).sort();
  const count = magnitudes.length;
  /** Share of magnitudes up to a. */
  const share = (a: number): number => {
    const low = firstWhere(count, (index) => !(magnitudes[index]! <= a));
    if (low === 0 || low === count) return low / count;
    const below = magnitudes[low - 1]!, above = magnitudes[low]!;
    return (low - 1 + (a - below) / (above - below)) / count;
  };
  return {
    cumulative: (x) => x < 0 ? (1 - share(-x)) / 2 : (1 + share(x)) / 2,
    reach: magnitudes[count - 1]! * 1.001,
  };
}
