import { InputError } from "../../data/input_error.ts";

/** Range of the shares of the divergence that may be asked for. */
export const LEAST_LOSS = 0.001, MOST_LOSS = 0.2;

/** Throws {@linkcode InputError} if a share of the divergence is not one that may be asked for. */
export function checkLoss(loss: number): void {
  if (loss >= LEAST_LOSS && loss <= MOST_LOSS) return;
  throw new InputError(
    `calibration cannot be ended at a loss of ${loss}: it must be from ${LEAST_LOSS} to ${MOST_LOSS}`,
  );
}
