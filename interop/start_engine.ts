import { isCached, startChild } from "./child_process.ts";

/** What can run a model; transformers.js takes a folder, the others the path of an ONNX file. */
export type EngineName =
  | "onnxruntime-node"
  | "onnxruntime-web"
  | "transformers.js";

/** Sequences to run. */
export interface EngineRequest {
  /** Token ids of all sequences, one after another. */
  readonly tokens: readonly number[];
  /** The token that came after each of these. */
  readonly labels: readonly number[];
  /** Number of sequences, of equal length. */
  readonly batch: number;
  /** 1 for each token that is there, 0 for what fills a sequence up; all are there if omitted. */
  readonly mask?: readonly number[];
  /** Logits `[tokens, vocabulary]`, or the log-probabilities of the labels, `[tokens]`. */
  readonly wants: "logits" | "logProbabilities";
}

/** How long it took. */
export interface EngineTimes {
  /** Seconds that passed. */
  readonly seconds: number;
  /** Seconds that the process was computing. */
  readonly processorSeconds: number;
}

/** What came of it. */
export interface EngineResult extends EngineTimes {
  /** What the request asked for, row-major. */
  readonly values: Float32Array;
}

/** A result as it is sent. */
export interface EncodedResult extends EngineTimes {
  /** The bytes of the values. */
  readonly base64: string;
}

/** A model in a process of its own. */
export interface Engine {
  /** Runs sequences. */
  run(request: EngineRequest): Promise<EngineResult>;
  /** Ends the process. */
  close(): Promise<void>;
}

const script = new URL("./engine.ts", import.meta.url).pathname;

/**
 * Loads a model in a process with one of the packages of `interop/deno.json`, which Deno downloads
 * on first use. Throws where the process ends before the model is loaded; what it says is on stderr.
 */
export async function startEngine(name: EngineName, model: string): Promise<Engine> {
  const child = await startChild(script, [name, model]);
  return {
    async run(request) {
      const { base64, ...times } = await child.ask<EncodedResult>(request);
      return {
        ...times,
        values: new Float32Array(Uint8Array.fromBase64(base64).buffer),
      };
    },
    close: () => child.close(),
  };
}

/** Whether the packages have been downloaded. */
export const enginesAreCached = (): Promise<boolean> => isCached(script);
