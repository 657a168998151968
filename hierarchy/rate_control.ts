/** Something encoded at a step, with the bytes that it takes. */
export interface SizedEncoding<T> {
  /** Whole bytes of the file. */
  readonly bytes: number;
  /** What was encoded. */
  readonly value: T;
}

/** Encodings that a search makes at most. */
const MOST_TRIALS = 12;
/** Steps from one trial to the next change by at most this many octaves. */
const LARGEST_MOVE = 4;

/**
 * Finds the quantization step at which a file takes `targetBytes`, within `tolerance` (a share of
 * the target), and returns the encoding that came nearest. The rate falls by about one bit a weight
 * with each doubling of the step, so a secant in log2 step converges in a few trials.
 */
export async function searchStep<T>(
  encodeAt: (step: number) => Promise<SizedEncoding<T>>,
  targetBytes: number,
  weights: number,
  firstStep: number,
  tolerance = 0.002,
): Promise<SizedEncoding<T>> {
  let logStep = Math.log2(firstStep);
  let best: SizedEncoding<T> | undefined;
  let previous: { logStep: number; bytes: number } | undefined;
  for (let trial = 0; trial < MOST_TRIALS; trial++) {
    const encoding = await encodeAt(2 ** logStep);
    const miss = Math.abs(encoding.bytes - targetBytes);
    if (best === undefined || miss < Math.abs(best.bytes - targetBytes)) best = encoding;
    if (miss <= tolerance * targetBytes) break;
    const slope = secantSlope(previous, { logStep, bytes: encoding.bytes }, weights);
    const move = (targetBytes - encoding.bytes) / slope;
    previous = { logStep, bytes: encoding.bytes };
    logStep += Math.min(Math.max(move, -LARGEST_MOVE), LARGEST_MOVE);
  }
  return best!;
}

/** Bytes per octave of step: measured where two trials tell it well, else one bit a weight. */
function secantSlope(
  a: { logStep: number; bytes: number } | undefined,
  b: { logStep: number; bytes: number },
  weights: number,
): number {
  const expected = -weights / 8;
  if (a === undefined || Math.abs(a.logStep - b.logStep) < 1e-6) return expected;
  const measured = (b.bytes - a.bytes) / (b.logStep - a.logStep);
  return measured < expected / 100 && measured > expected * 3 ? measured : expected;
}
