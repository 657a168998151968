/** What a pool asks of a worker: a part of what Web Workers have. */
export interface PoolWorker {
  /** Called with each message. */
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  /** Called where the worker threw and nothing caught it. */
  onerror: ((event: WorkerFailure) => void) | null;
  /** Called where a message cannot be read. */
  onmessageerror: (() => void) | null;
  /** Sends a message. */
  postMessage(message: unknown): void;
  /** Ends the worker at once. */
  terminate(): void;
}

/** What a worker throws. */
export interface WorkerFailure {
  /** What it says. */
  readonly message: string;
  /** Keeps the platform from ending the program. */
  preventDefault(): void;
}

/** Where messages come in and go out, in a worker. */
export interface WorkerScope {
  /** Called with each message. */
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  /** Sends a message; the memory of `transfer` is handed over, not copied. */
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/** Node's threads, which are not imported: bundles for browsers must not name them. */
function nodeThreads(): typeof import("node:worker_threads") {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: string): typeof import("node:worker_threads") };
  };
  return process.getBuiltinModule("worker_threads");
}

/** A thread of Node's with the face of a Web Worker. */
class ThreadWorker implements PoolWorker {
  readonly #thread: import("node:worker_threads").Worker;
  onmessage: PoolWorker["onmessage"] = null;
  onerror: PoolWorker["onerror"] = null;
  onmessageerror: PoolWorker["onmessageerror"] = null;

  constructor(module: URL) {
    this.#thread = new (nodeThreads().Worker)(module);
    this.#thread.on("message", (data) => this.onmessage?.({ data }));
    this.#thread.on("messageerror", () => this.onmessageerror?.());
    this.#thread.on("error", (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      this.onerror?.({ message, preventDefault() {} });
    });
  }

  postMessage(message: unknown): void {
    this.#thread.postMessage(message);
  }

  terminate(): void {
    void this.#thread.terminate();
  }
}

/**
 * The platform's Web Worker or, on Node, a thread like it. Bundlers find the modules of workers by
 * the words `new Worker(new URL("./…", import.meta.url), { type: "module" })`: write it so.
 */
export const Worker: new (module: URL, options: { readonly type: "module" }) => PoolWorker =
  (globalThis as unknown as { Worker?: typeof Worker }).Worker ?? ThreadWorker;

/** Where this worker's messages come in and go out. */
export function workerScope(): WorkerScope {
  if ("postMessage" in globalThis) return globalThis as unknown as WorkerScope;
  const port = nodeThreads().parentPort;
  if (port === null) throw new Error("this is not a worker");
  const scope: WorkerScope = {
    onmessage: null,
    postMessage: (message, transfer) => port.postMessage(message, transfer as ArrayBuffer[]),
  };
  port.on("message", (data) => scope.onmessage?.({ data }));
  return scope;
}
