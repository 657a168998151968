import type { TransformerDescription } from "../architectures/description.ts";
import { checkTokenIds } from "../architectures/token_ids.ts";
import { rotaryFrequencies } from "../layers/rotary_frequencies.ts";
import type { RunnerOptions, TokenRunner } from "../model/token_runner.ts";
import { canShareMemory } from "../../workers/shared_array.ts";
import { type CacheLayout, layOutCache, moveCache } from "./cache_layout.ts";
import type { Kernels } from "./kernels.ts";
import { growTo, type StoredWeights } from "./store.ts";
import { Team } from "./team.ts";
import { createWorkspace, PASS_TOKENS, type Workspace } from "./workspace.ts";

/** Most threads unless asked for more: memory gives weights no faster to more of them. */
const USUAL_THREADS = 8;
/** Weights, in bytes, that make a further thread worth its start. */
const BYTES_PER_THREAD = 2 ** 21;
/** Tokens of a sequence that there is room for at first. */
const FIRST_CAPACITY = 256;

/** What a runner is given of its model. */
export interface RunnableWeights {
  readonly description: TransformerDescription;
  readonly memory: WebAssembly.Memory;
  /** Where the memory is free from. */
  readonly bytes: number;
  readonly weights: StoredWeights;
  readonly kernels: Kernels;
}

/** Reads sequences with the kernels, on several threads where they can share memory. */
export class WasmRunner implements TokenRunner {
  readonly #model: RunnableWeights;
  readonly #threads: number;
  readonly #onDispose: () => void;
  #length = 0;
  /** What depends on the number of sequences; made with the first tokens. */
  #work: { sequences: number; workspace: Workspace; team: Team; cacheAt: number } | undefined;
  #cache: CacheLayout = { capacity: 0, bytes: 0, layers: [] };

  private constructor(model: RunnableWeights, threads: number, onDispose: () => void) {
    this.#model = model;
    this.#threads = threads;
    this.#onDispose = onDispose;
  }

  /** Begins to read. */
  static start(
    model: RunnableWeights,
    { threads }: RunnerOptions,
    onDispose: () => void,
  ): WasmRunner {
    const worthwhile = Math.ceil(model.bytes / BYTES_PER_THREAD);
    const usual = Math.min(USUAL_THREADS, navigator.hardwareConcurrency, worthwhile);
    const count = canShareMemory() ? threads ?? usual : 1;
    return new WasmRunner(model, count, onDispose);
  }

  get length(): number {
    return this.#length;
  }

  async run(ids: Int32Array, sequences: number): Promise<Float32Array> {
    const { description, memory } = this.#model;
    const added = ids.length / sequences;
    checkTokenIds(ids, description.vocabularySize);
    const { workspace, team, cacheAt } = await this.#prepare(sequences);
    this.#makeRoom(sequences, cacheAt, this.#length + added);
    const most = Math.max(1, Math.floor(PASS_TOKENS / sequences));
    const end = this.#length + added;
    for (let from = 0; from < added; from += most) {
      const length = Math.min(most, added - from);
      const places = new Int32Array(memory.buffer, workspace.ids, sequences * length);
      for (let sequence = 0; sequence < sequences; sequence++) {
        const start = sequence * added + from;
        places.set(ids.subarray(start, start + length), sequence * length);
      }
      this.#writeRotations(workspace, length, end);
      team.run({
        sequences,
        length,
        start: this.#length,
        wantsLogits: from + length === added,
        cacheAt,
        cache: this.#cache,
      });
      this.#length += length;
      // Other work has its turn while a long prompt is read.
      if (from + length < added) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return this.#readLogits(workspace, sequences);
  }

  reset(): void {
    this.#length = 0;
  }

  dispose(): void {
    this.#work?.team.dispose();
    this.#work = undefined;
    this.#onDispose();
  }

  async #prepare(sequences: number) {
    if (this.#work?.sequences === sequences) return this.#work;
    if (this.#work !== undefined && this.#length > 0) {
      throw new RangeError(`${this.#work.sequences} sequences are being read, not ${sequences}`);
    }
    this.#work?.team.dispose();
    const { description: model, memory, bytes, weights, kernels } = this.#model;
    let end = Math.ceil(bytes / 16) * 16;
    const count = this.#threads;
    const workspace = createWorkspace(model, sequences, count, (size) => {
      const at = end;
      end += Math.ceil(size / 16) * 16;
      return at;
    });
    growTo(memory, end);
    // What an earlier runner left there is no zeros.
    new Uint8Array(memory.buffer, bytes, end - bytes).fill(0);
    this.#cache = layOutCache(model, sequences, 0);
    const team = await Team.start({ memory, model, weights, workspace, count }, kernels);
    return this.#work = { sequences, workspace, team, cacheAt: end };
  }

  #makeRoom(sequences: number, cacheAt: number, length: number): void {
    const { description, memory } = this.#model;
    const { capacity } = this.#cache;
    if (length <= capacity) return;
    const wanted = Math.max(length, 2 * capacity, FIRST_CAPACITY);
    const layout = layOutCache(description, sequences, Math.min(wanted, description.contextLength));
    growTo(memory, cacheAt + layout.bytes);
    const bytes = new Uint8Array(memory.buffer, cacheAt, layout.bytes);
    if (this.#length > 0) moveCache(description, bytes, sequences, [this.#cache, layout]);
    this.#cache = layout;
  }

  /** Cosines and sines for `length` further positions of sequences that will have `end` tokens. */
  #writeRotations({ rotations }: Workspace, length: number, end: number): void {
    const { memory } = this.#model;
    for (const { rotary, tables } of rotations) {
      const frequencies = rotaryFrequencies(rotary, end);
      const { attentionFactor = 1 } = rotary;
      const half = frequencies.length;
      for (let i = 0; i < length; i++) {
        const row = new Float32Array(memory.buffer, tables.at + i * tables.bytes, 2 * half);
        frequencies.forEach((frequency, pair) => {
          const angle = (this.#length + i) * frequency;
          row[pair] = attentionFactor * Math.cos(angle);
          row[half + pair] = attentionFactor * Math.sin(angle);
        });
      }
    }
  }

  #readLogits({ logits }: Workspace, sequences: number): Float32Array {
    const { description: { vocabularySize }, memory } = this.#model;
    const values = new Float32Array(sequences * vocabularySize);
    for (let sequence = 0; sequence < sequences; sequence++) {
      const at = logits.at + sequence * logits.bytes;
      values.set(new Float32Array(memory.buffer, at, vocabularySize), sequence * vocabularySize);
    }
    return values;
  }
}
