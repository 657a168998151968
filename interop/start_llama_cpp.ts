import { isCached, startChild } from "./child_process.ts";

/** What is asked of llama.cpp. */
export type LlamaCppRequest =
  | {
    /** Texts whose token ids are wanted. */
    readonly texts: readonly string[];
    /** Whether special tokens are found in them. */
    readonly special: boolean;
  }
  | {
    /** A sequence whose log-probabilities are wanted. */
    readonly tokens: readonly number[];
    /** Tokens that the context has room for. */
    readonly contextSize: number;
  };

/** What comes of it. */
export type LlamaCppAnswer =
  | { readonly ids: readonly (readonly number[])[] }
  | { readonly base64: string };

/** A model that llama.cpp has loaded. */
export interface LlamaCpp {
  /** Token ids of texts, without the one that begins a text. */
  tokenize(
    texts: readonly string[],
    special?: boolean,
  ): Promise<readonly (readonly number[])[]>;
  /** Log-probabilities of every token after each of these, `[tokens, vocabulary]`. */
  score(tokens: readonly number[], contextSize?: number): Promise<Float32Array>;
  /** Ends the process. */
  close(): Promise<void>;
}

const script = new URL("./llama_cpp.ts", import.meta.url).pathname;

/**
 * Loads a GGUF file with node-llama-cpp, which Deno downloads on first use. Throws where llama.cpp
 * does not load it; what it says is on stderr.
 */
export async function startLlamaCpp(path: string): Promise<LlamaCpp> {
  const child = await startChild(script, [path]);
  return {
    async tokenize(texts, special = false) {
      const { ids } = await child.ask<{ ids: readonly (readonly number[])[] }>({
        texts,
        special,
      });
      return ids;
    },
    async score(tokens, contextSize = 64) {
      const { base64 } = await child.ask<{ base64: string }>({
        tokens,
        contextSize,
      });
      return new Float32Array(Uint8Array.fromBase64(base64).buffer);
    },
    close: () => child.close(),
  };
}

/** Whether the package has been downloaded. */
export const llamaCppIsCached = (): Promise<boolean> => isCached(script);
