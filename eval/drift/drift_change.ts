import type { DriftEngine } from "./drift_engine.ts";
import type { DriftHalves } from "./drift_sums.ts";

/** How {@linkcode driftChange} is found. */
export interface ChangeOptions {
  /** Which part of it is taken; by default what each half says of the other. */
  readonly share?: number | undefined;
  /** Times the mean of the inputs' squares is added to each. */
  readonly damping: number;
}

/**
 * C = share · (ZᵀZ + λ)⁻¹ ZᵀY, row-major, `[size, columns]`, of the sums of two halves of a text;
 * undefined where it is nothing.
 *
 * What fits one half fits others less. With C of a half, share · Z C is nearest to the other half's Y
 * where share = ⟨Y, Z C⟩ / |Z C|² there. As a part of Z C that is by chance halves with twice the
 * text, of all of it a larger share is right: 2 s / (1 + s).
 */
export async function driftChange(
  halves: DriftHalves,
  size: number,
  { share, damping }: ChangeOptions,
  fit: DriftEngine["fit"],
): Promise<Float32Array | undefined> {
  const isNone = halves.every(({ missing }) => missing.every((value) => value === 0));
  if (share === 0 || isNone) return undefined;
  const [first, second] = halves;
  const crossed = [{ sums: [first], judge: second }, { sums: [second], judge: first }];
  const asks = [{ sums: halves }, ...(share === undefined ? crossed : [])];
  const [whole, ...parts] = await fit(asks.map((ask) => ({ ...ask, size, damping })));
  const taken = share ?? rightShare(parts);
  if (taken === 0) return undefined;
  return whole!.change.map((value) => taken * value);
}

/** The share of the change of both halves that halves say is right, 0 to 1. */
function rightShare(
  parts: readonly { readonly along: number; readonly square: number }[],
): number {
  const along = parts.reduce((sum, part) => sum + part.along, 0);
  const square = parts.reduce((sum, part) => sum + part.square, 0);
  if (!(along > 0 && square > 0)) return 0;
  const share = along / square;
  return Math.min(1, 2 * share / (1 + share));
}
