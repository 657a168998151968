import { fromBase64, toHex } from "../../data/base64.ts";
import { sha256, sha256OfJson } from "../../data/sha256.ts";
import type { Store } from "../../store/store.ts";
import type { SharedMoments } from "./calibrate_chunks.ts";
import { type WatchedSums, watchedSums } from "./text_watch.ts";

/** Where a calibration that is under way is kept. */
export interface CalibrationWork {
  /** The store. */
  readonly store: Store;
  /** Hash of all that the calibration depends on: weights, text and settings. */
  readonly key: string;
  /** Called with the share of the text that an earlier run has done, where it is not 0. */
  readonly onFound?: (share: number) => void;
  /** Milliseconds between two times that sums are kept, at least; a minute if omitted. */
  readonly interval?: number;
}

/** How far a run over a text is. */
export interface SumsSoFar {
  /** Tokens that are in the sums. */
  readonly tokens: number;
  /** Σ p (1 - p) of each logit over them; none without a backward pass. */
  readonly logitSum?: Float64Array;
  /** What a {@linkcode TextWatch} has seen; nothing without one. */
  readonly marks: readonly WatchedSums[];
}

const MINUTE = 60_000;
/** More than a watch ever has. */
const MOST_MARKS = 64;
/** Names of entries with sums. */
const SUMS = /^sums-[\da-f]{64}$/;
/** Keeping sums takes at most about this share of the time. */
const LARGEST_SHARE = 1 / 20;

/**
 * Keeps the sums of a run over a text every so often, so that a later run goes on from there. It adds
 * the rest in the same order, so that its sums are the same to the bit.
 */
export class SumsKeeper {
  readonly #work: CalibrationWork;
  readonly #name: string;
  readonly #moments: SharedMoments;
  #kept: readonly string[] = [];
  #interval: number;
  #last = performance.now();

  private constructor(work: CalibrationWork, name: string, moments: SharedMoments) {
    this.#work = work;
    this.#name = name;
    this.#moments = moments;
    this.#interval = work.interval ?? MINUTE;
  }

  /** A keeper of sums that `settings` tell apart from others of the same calibration. */
  static async open(
    work: CalibrationWork,
    settings: unknown,
    moments: SharedMoments,
  ): Promise<SumsKeeper> {
    const key = toHex(fromBase64(await sha256OfJson([work.key, settings])));
    return new SumsKeeper(work, `calibration-${key}`, moments);
  }

  /** Milliseconds between two times that sums are kept. */
  get interval(): number {
    return this.#interval;
  }

  /** Whether it is time to keep the sums. */
  isDue(): boolean {
    return performance.now() - this.#last >= this.#interval;
  }

  /** Fills the sums with those that are kept of `tokens` tokens in all; undefined where there are none. */
  async restore(tokens: number): Promise<SumsSoFar | undefined> {
    const { store, onFound } = this.#work;
    const bytes = await store.get(this.#name);
    if (bytes === undefined) return undefined;
    const found = parse(bytes);
    if (found === undefined || found.tokens > tokens) return undefined;
    const arrays = sumArrays(this.#moments);
    const watched = watchedSums(this.#moments);
    const hasLogits = found.logits > 0;
    const count = arrays.length + Number(hasLogits) + found.marks.length * watched.length;
    if (found.arrays.length !== count) return undefined;
    // Nothing is made of a length that is only claimed.
    const logits = hasLogits ? await store.get(found.arrays[arrays.length]!) : undefined;
    if (hasLogits && logits?.length !== 8 * found.logits) return undefined;
    const logitSum = hasLogits ? new Float64Array(found.logits) : undefined;
    const marks = found.marks.map((tokens) => ({
      tokens,
      triangles: watched.map((triangle) => triangle.map(() => 0)),
    }));
    for (const [i, target] of allArrays(arrays, logitSum, marks).entries()) {
      const values = await store.get(found.arrays[i]!);
      if (values?.length !== target.byteLength) {
        // One is damaged: then all begin anew.
        for (const array of arrays) array.fill(0);
        return undefined;
      }
      bytesOf(target).set(values);
    }
    this.#kept = found.arrays;
    onFound?.(found.tokens / tokens);
    return { tokens: found.tokens, marks, ...(logitSum !== undefined && { logitSum }) };
  }

  /** Keeps the sums in place of those before. */
  async save({ tokens, logitSum, marks }: SumsSoFar): Promise<void> {
    const { store } = this.#work;
    const start = performance.now();
    const names: string[] = [];
    for (const array of allArrays(sumArrays(this.#moments), logitSum, marks)) {
      const bytes = bytesOf(array);
      const name = `sums-${toHex(fromBase64(await sha256(bytes)))}`;
      if (!await store.has(name)) await store.put(name, bytes);
      names.push(name);
    }
    const description = {
      ...{ tokens, logits: logitSum?.length ?? 0, arrays: names },
      ...(marks.length > 0 && { marks: marks.map((mark) => mark.tokens) }),
    };
    await store.put(this.#name, new TextEncoder().encode(JSON.stringify(description)));
    const current = new Set(names);
    for (const name of this.#kept) if (!current.has(name)) await store.remove(name);
    this.#kept = names;
    this.#last = performance.now();
    this.#interval = Math.max(
      this.#work.interval ?? MINUTE,
      (this.#last - start) / LARGEST_SHARE,
    );
  }
}

/** What an entry says. */
interface Description {
  readonly tokens: number;
  readonly logits: number;
  readonly arrays: readonly string[];
  /** Tokens of each mark. */
  readonly marks: readonly number[];
}

/** What an entry says; undefined where it is none of these. */
function parse(bytes: Uint8Array): Description | undefined {
  try {
    const { tokens, logits, arrays, marks = [] } = JSON.parse(new TextDecoder().decode(bytes));
    const isSound = Array.isArray(marks) && Array.isArray(arrays) &&
      [tokens, logits, ...marks].every((count) => Number.isSafeInteger(count) && count >= 0) &&
      marks.length <= MOST_MARKS && marks.every((mark, i) => mark <= (marks[i + 1] ?? tokens)) &&
      arrays.every((name) => typeof name === "string" && SUMS.test(name));
    return isSound ? { tokens, logits, arrays, marks } : undefined;
  } catch {
    return undefined;
  }
}

type Sums = Float32Array | Float64Array;

function sumArrays({ triangles, energies, counts, blockTriangles }: SharedMoments): Sums[] {
  return [...triangles, energies, counts, ...blockTriangles];
}

/** All that is kept, in its order. */
function allArrays(
  sums: readonly Sums[],
  logitSum: Float64Array | undefined,
  marks: readonly WatchedSums[],
): Sums[] {
  return [...sums, ...(logitSum ? [logitSum] : []), ...marks.flatMap(({ triangles }) => triangles)];
}

function bytesOf({ buffer, byteOffset, byteLength }: Sums): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
