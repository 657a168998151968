import { encodeOnnxModel, type OnnxGraph } from "../../data/onnx/onnx_model.ts";
import type { NativeRuntime, NativeSession } from "./runtime.ts";

/** How {@linkcode NativeSessions} run graphs. */
export interface NativeSessionsOptions {
  /**
   * Gives memory back after each run, which takes some 5 % more time; if omitted, each graph keeps for
   * its next run what it took, rounded up to powers of two.
   */
  readonly savesMemory?: boolean;
}

/** Graphs that are ready to run, each made when it is first asked for. */
export class NativeSessions {
  readonly runtime: NativeRuntime;
  readonly #threads: number;
  readonly #options: NativeSessionsOptions;
  readonly #sessions = new Map<string, Promise<NativeSession>>();

  /** No graphs yet; `threads` threads run each of them. */
  constructor(runtime: NativeRuntime, threads: number, options: NativeSessionsOptions = {}) {
    this.runtime = runtime;
    this.#threads = threads;
    this.#options = options;
  }

  /** The session of the graph that `make` gives; `key` tells graphs apart. */
  get(key: string, make: () => OnnxGraph): Promise<NativeSession> {
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const made = this.#open(make());
    this.#sessions.set(key, made);
    return made;
  }

  /** Frees everything. */
  async close(): Promise<void> {
    const sessions = await Promise.allSettled(this.#sessions.values());
    this.#sessions.clear();
    for (const session of sessions) {
      if (session.status === "fulfilled") await session.value.release();
    }
  }

  async #open(graph: OnnxGraph): Promise<NativeSession> {
    const model = new Blob(encodeOnnxModel(graph) as BlobPart[]);
    return await this.runtime.InferenceSession.create(new Uint8Array(await model.arrayBuffer()), {
      executionProviders: ["cpu"],
      intraOpNumThreads: this.#threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      enableCpuMemArena: this.#options.savesMemory !== true,
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: "0" } } },
    });
  }
}
