import type { GgmlType } from "../data/gguf/types.ts";
import { Worker } from "../workers/web_worker.ts";
import { WorkerPool } from "../workers/worker_pool.ts";
import { PIECE, type Quantize, quantizeHere } from "./quantize_rows.ts";

/** Values of a piece of a tensor, and the type that they are to have. */
export interface QuantizeJob {
  readonly type: GgmlType;
  readonly values: Float32Array;
}

/**
 * Web Workers that quantize the pieces of a tensor side by side. They start when they are first
 * needed; whoever made them closes them. The bytes do not depend on their number.
 */
export class QuantizeWorkers implements Disposable {
  readonly #pool: WorkerPool<undefined, QuantizeJob, Uint8Array>;
  readonly #signal: AbortSignal | undefined;

  /** At most `threads` workers, which `signal` stops. */
  constructor(threads: number, signal?: AbortSignal) {
    const start = () =>
      new Worker(new URL("./quantize_worker.ts", import.meta.url), { type: "module" });
    this.#pool = new WorkerPool({ start, threads, setup: undefined });
    this.#signal = signal;
  }

  /** Quantizes where it is worth a worker: types whose scales are searched. */
  readonly quantize: Quantize = (type, values) => {
    const isSearched = type.name.endsWith("_K");
    return isSearched && values.length > PIECE
      ? this.#inWorkers(type, values)
      : quantizeHere(type, values);
  };

  async *#inWorkers(type: GgmlType, values: Float32Array): AsyncGenerator<Uint8Array> {
    const jobs = Array.from(
      { length: Math.ceil(values.length / PIECE) },
      (_, i) => ({ type, values: values.slice(i * PIECE, (i + 1) * PIECE) }),
    );
    const signal = this.#signal;
    yield* await this.#pool.run(jobs, signal === undefined ? {} : { signal });
  }

  /** Ends the workers. */
  [Symbol.dispose](): void {
    this.#pool.close();
  }
}
