import { fromBase64, toHex } from "../../data/base64.ts";
import { sha256, sha256OfJson } from "../../data/sha256.ts";
import type { Store } from "../../store/store.ts";
import type { SharedMoments } from "./calibrate_chunks.ts";

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
}

const MINUTE = 60_000;
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
    const arrays = sumArrays(this.#moments);
    const isOfThese = found !== undefined && found.tokens <= tokens &&
      found.arrays.length === arrays.length + (found.logits === 0 ? 0 : 1);
    if (!isOfThese) return undefined;
    const logitSum = found.logits === 0 ? undefined : new Float64Array(found.logits);
    const targets = logitSum === undefined ? arrays : [...arrays, logitSum];
    for (const [i, target] of targets.entries()) {
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
    return { tokens: found.tokens, ...(logitSum !== undefined && { logitSum }) };
  }

  /** Keeps the sums in place of those before. */
  async save({ tokens, logitSum }: SumsSoFar): Promise<void> {
    const { store } = this.#work;
    const start = performance.now();
    const names: string[] = [];
    for (const array of [...sumArrays(this.#moments), ...(logitSum ? [logitSum] : [])]) {
      const bytes = bytesOf(array);
      const name = `sums-${toHex(fromBase64(await sha256(bytes)))}`;
      if (!await store.has(name)) await store.put(name, bytes);
      names.push(name);
    }
    const description = { tokens, logits: logitSum?.length ?? 0, arrays: names };
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

/** What an entry says; undefined where it is none of these. */
function parse(
  bytes: Uint8Array,
): { tokens: number; logits: number; arrays: readonly string[] } | undefined {
  try {
    const { tokens, logits, arrays } = JSON.parse(new TextDecoder().decode(bytes));
    const isSound = [tokens, logits].every((count) => Number.isSafeInteger(count) && count >= 0) &&
      Array.isArray(arrays) && arrays.every((name) => typeof name === "string");
    return isSound ? { tokens, logits, arrays } : undefined;
  } catch {
    return undefined;
  }
}

type Sums = Float32Array | Float64Array;

function sumArrays({ triangles, energies, blockTriangles }: SharedMoments): Sums[] {
  return [...triangles, energies, ...blockTriangles];
}

function bytesOf({ buffer, byteOffset, byteLength }: Sums): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
