import type { Matrix } from "../../hierarchy/matrix/matrix.ts";
import type { ErrorMetric } from "../../hierarchy/matrix/error_metric.ts";
import { forEachDiagonal } from "../../hierarchy/scan/pieces.ts";
import { passOn, readTargets, startFeedback } from "../../hierarchy/quantize/error_feedback.ts";
import type { FeedbackOperations } from "../../hierarchy/quantize/feedback_operations.ts";

/** All feedback between the values of a matrix, without what quantizes them: all become 0. */
export function passErrorsOn(
  matrix: Matrix & { readonly metric: ErrorMetric },
  operations: FeedbackOperations,
): void {
  const longest = Math.min(matrix.rows, matrix.columns);
  const targets = new Float32Array(longest), levels = new Float32Array(longest);
  const feedback = startFeedback(matrix, matrix.metric, operations);
  forEachDiagonal(matrix, (diagonal, state) => {
    readTargets(feedback, diagonal, targets);
    passOn(feedback, diagonal, levels);
    return state;
  });
}
