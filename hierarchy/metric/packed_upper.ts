import { sharedFloat32Array } from "../../workers/shared_array.ts";
import type { ErrorMetric } from "../matrix/error_metric.ts";
import { triangleStart } from "../matrix/triangle.ts";

/** Where the value of row k and column i > k stands among the packed values above a diagonal. */
export function packedIndex(size: number, k: number, i: number): number {
  return k * (2 * size - k - 1) / 2 + i - k - 1;
}

/**
 * Splits an upper triangular factor U, as `factorTriangle` leaves it, into its diagonal and
 * U_ki / U_ii above it, in half of the memory.
 */
export function packUpper(
  triangle: Float64Array,
  size: number,
): Pick<ErrorMetric, "rowWeights" | "feedback"> {
  const rowWeights = Float64Array.from({ length: size }, (_, i) => triangle[triangleStart(i) + i]!);
  const feedback = sharedFloat32Array(size * (size - 1) / 2);
  for (let k = 0, at = 0; k < size; k++) {
    for (let i = k + 1; i < size; i++) {
      feedback[at++] = triangle[triangleStart(i) + k]! / rowWeights[i]!;
    }
  }
  return { rowWeights, feedback };
}
