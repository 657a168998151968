/** Where a worker gets a model from. */
export type ModelOrigin =
  /** Files of the server: the compressed model and what belongs to its tokenizer. */
  | { readonly kind: "server"; readonly folder: string; readonly name: string }
  /** Files that the user has chosen; the tokenizer may be missing among them. */
  | { readonly kind: "files"; readonly files: readonly File[]; readonly fallback?: string };

/** How a story is written. */
export interface StoryOptions {
  /** Text that the model continues, or answers. */
  readonly prompt: string;
  /** Whether the text is said to a model that was trained to chat; others continue it. */
  readonly chat: boolean;
  /** Most tokens to add. */
  readonly maxTokens: number;
  /** Logits are divided by this; 0 takes the most likely token. */
  readonly temperature: number;
  /** Seed of the draws. */
  readonly seed: number;
}

/** What the page asks of a model's worker. */
export type ModelRequest =
  | { readonly type: "load"; readonly origin: ModelOrigin; readonly backend: "wasm" | "webgpu" }
  | { readonly type: "write"; readonly story: StoryOptions }
  | { readonly type: "stop" };

/** What the page shows of a decoded model. */
export interface ModelFacts {
  /** Name of the file. */
  readonly name: string;
  /** Bytes of the compressed file. */
  readonly fileBytes: number;
  /** Parameters, tied ones once. */
  readonly parameters: number;
  /** Bytes of the decoded weights as 32-bit floats, tied ones once. */
  readonly weightBytes: number;
  /** Bytes that tfjs holds. */
  readonly backendBytes: number;
  /** Whether it has a chat template. */
  readonly chats: boolean;
  /** Where tfjs computes. */
  readonly backend: string;
  /** Seconds of reading the file, of decoding it, and of starting the model. */
  readonly seconds: { readonly load: number; readonly decode: number; readonly start: number };
  /** SHA-256 of the decoded weights, see `hashWeights`. */
  readonly hash: string;
}

/** What a model's worker answers. */
export type ModelReply =
  | { readonly type: "progress"; readonly activity: string; readonly share?: number }
  | { readonly type: "ready"; readonly facts: ModelFacts }
  /** The story so far, without the prompt. */
  | { readonly type: "story"; readonly text: string; readonly tokens: number }
  | { readonly type: "done"; readonly tokens: number; readonly seconds: number }
  | { readonly type: "error"; readonly message: string };
