/** A phase that is still to come. */
export interface ExpectedPhase {
  /** What it is called. */
  readonly name: string;
  /** Seconds that it is expected to take. */
  readonly seconds: number;
}

/** A phase's own pace says something from this share and these seconds on. */
const FIRST_SHARE = 0.02, FIRST_SECONDS = 1;
/** From this share on, a phase's own pace alone tells how long it takes. */
const CERTAIN_SHARE = 0.3;
/**
 * What is expected counts as if this share of it had come true: a short phase, whose work is of another
 * kind, says little of those after it.
 */
const EXPECTED_WEIGHT = 0.1;

/**
 * Tells how long a run still takes. What is expected of each phase is corrected by how long those
 * before it took, and the phase in hand more and more by its own pace.
 */
export class TimeLeft {
  #ahead: readonly ExpectedPhase[] = [];
  #taken = 0;
  #expected = 0;
  #inHand: number | undefined;
  #planned = 0;

  /** Says which phases are to come, in their order; a phase may be left out by the run. */
  expect(phases: readonly ExpectedPhase[]): void {
    this.#ahead = phases;
    this.#planned = sumSeconds(phases);
  }

  /** A phase begins: those that were expected before it are not going to come. */
  begin(name: string): void {
    const place = this.#ahead.findIndex((phase) => phase.name === name);
    this.#inHand = this.#ahead[place]?.seconds;
    if (place >= 0) this.#ahead = this.#ahead.slice(place + 1);
  }

  /** The phase in hand has taken so many seconds. */
  end(seconds: number): void {
    if (this.#inHand !== undefined) {
      this.#taken += seconds;
      this.#expected += this.#inHand;
    }
    this.#inHand = undefined;
  }

  /**
   * The share of the expected work that is done, if `share` of the phase in hand is; undefined where
   * nothing was expected. A phase that is left out counts as done.
   */
  doneShare(share: number): number | undefined {
    if (this.#planned === 0) return undefined;
    const missing = sumSeconds(this.#ahead) + (1 - share) * (this.#inHand ?? 0);
    return 1 - missing / this.#planned;
  }

  /**
   * Seconds that all phases still take, if `share` of the one in hand took `elapsed` seconds;
   * undefined where nothing tells.
   */
  seconds(share: number, elapsed: number): number | undefined {
    const hasPace = share >= FIRST_SHARE && elapsed >= FIRST_SECONDS;
    const byPace = hasPace ? elapsed / share : undefined;
    const expected = this.#inHand;
    const predicted = expected === undefined ? undefined : expected * this.#slowness(0, 0);
    const trust = Math.min(1, share / CERTAIN_SHARE);
    const total = byPace === undefined
      ? predicted
      : predicted === undefined
      ? byPace
      : trust * byPace + (1 - trust) * predicted;
    if (total === undefined && this.#ahead.length === 0) return undefined;
    const slowness = byPace === undefined || expected === undefined
      ? this.#slowness(0, 0)
      : this.#slowness(trust * byPace, trust * expected);
    const later = sumSeconds(this.#ahead) * slowness;
    return Math.max(0, (total ?? 0) - elapsed) + later;
  }

  /** How many times as long as expected phases take, with so much more of both. */
  #slowness(taken: number, expected: number): number {
    const prior = EXPECTED_WEIGHT * this.#planned;
    const all = prior + this.#expected + expected;
    return all > 0.001 ? (prior + this.#taken + taken) / all : 1;
  }
}

function sumSeconds(phases: readonly ExpectedPhase[]): number {
  return phases.reduce((sum, { seconds }) => sum + seconds, 0);
}
