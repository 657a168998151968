import { formatCount } from "../../../eval/report/number_text.ts";

/** A kind of work whose pieces take about the same time, such as measuring on one text. */
export type WorkKind = string;

/**
 * How long work still takes, by how long the pieces of its kinds took before. Kinds of which nothing
 * is known are taken to last as long as the mean of those that are.
 */
export class TimeLeft {
  readonly #known = new Map<WorkKind, number[]>();
  readonly #left: WorkKind[];

  /** Of all pieces that are to be done. */
  constructor(left: readonly WorkKind[]) {
    this.#left = [...left];
  }

  /** Notes what a piece took that was done earlier. */
  learn(kind: WorkKind, seconds: number): void {
    this.#known.set(kind, [...this.#known.get(kind) ?? [], seconds]);
  }

  /** Notes that a piece is done, and what it took. */
  finish(kind: WorkKind, seconds: number): void {
    this.learn(kind, seconds);
    const at = this.#left.indexOf(kind);
    if (at >= 0) this.#left.splice(at, 1);
  }

  /** Seconds that are left; undefined before anything is known. */
  seconds(): number | undefined {
    const means = new Map(Array.from(this.#known, ([kind, all]) => [kind, mean(all)]));
    if (means.size === 0) return undefined;
    const usual = mean([...means.values()]);
    return this.#left.reduce((sum, kind) => sum + (means.get(kind) ?? usual), 0);
  }

  /** `14 pieces, about 32 min left`. */
  toString(): string {
    const seconds = this.seconds();
    const count = this.#left.length;
    const pieces = `${formatCount(count)} ${count === 1 ? "piece" : "pieces"} of work`;
    if (seconds === undefined) return `${pieces} left`;
    const time = seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
    return `${pieces}, about ${time} left`;
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
