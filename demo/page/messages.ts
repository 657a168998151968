import type { ServedModel } from "../served_model.ts";
import type { MeasuredRow } from "../../eval/report/measured_table.ts";

/** Where a worker gets a model from. */
export type ModelOrigin =
  /** A model of the page's own site. */
  | { readonly kind: "server"; readonly model: ServedModel }
  /** Files that the user has chosen; the models of the site may lend their tokenizer. */
  | {
    readonly kind: "files";
    readonly files: readonly File[];
    readonly served: readonly ServedModel[];
  };

/** What computes. */
export type EngineName = "wasm" | "webgpu";

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
  | { readonly type: "load"; readonly origin: ModelOrigin; readonly engine: EngineName }
  | { readonly type: "write"; readonly story: StoryOptions }
  | { readonly type: "stop" };

/** How far loading is. */
export interface LoadProgress {
  /** What is being done, for people. */
  readonly activity: "downloading" | "decoding" | "starting";
  /** Bytes that are there, and of how many, while they come. */
  readonly bytes?: readonly [here: number, total: number];
  /** Layers that are decoded, and of how many, where the model is decoded as it comes. */
  readonly layers?: readonly [decoded: number, total: number];
}

/** What the model would be in another format. */
export interface OtherSize {
  /** Name of the format, such as `GGUF Q8_0`. */
  readonly format: string;
  /** Bytes of the file. */
  readonly bytes: number;
}

/** What the page shows of a decoded model. */
export interface ModelFacts {
  /** Name of the file. */
  readonly name: string;
  /** Bytes of the compressed file. */
  readonly fileBytes: number;
  /** Bytes of the weights as the original stores them, tied ones once. */
  readonly originalBytes: number;
  /** Sizes in other formats, largest first; none for models that those cannot hold. */
  readonly otherSizes: readonly OtherSize[];
  /** What compression cost, as the model's card tells; absent where that is not known. */
  readonly measured?: readonly MeasuredRow[];
  /** Parameters, tied ones once. */
  readonly parameters: number;
  /** Bytes of the weights in memory. */
  readonly memoryBytes: number;
  /** Whether it has a chat template. */
  readonly chats: boolean;
  /** Where it computes, for people, such as `WASM`. */
  readonly engine: string;
  /** Why it does not compute where it was asked to; absent where it does. */
  readonly engineNote?: string;
  /** Seconds of reading the file, of decoding it after the last byte, and of starting the model. */
  readonly seconds: { readonly load: number; readonly decode: number; readonly start: number };
  /** SHA-256 of the decoded weights, see `WeightsHash`. */
  readonly hash: string;
}

/** What a model's worker answers. */
export type ModelReply =
  | { readonly type: "progress"; readonly progress: LoadProgress }
  | { readonly type: "ready"; readonly facts: ModelFacts }
  /** The story so far, without the prompt, and the seconds that its tokens took after the first. */
  | {
    readonly type: "story";
    readonly text: string;
    readonly tokens: number;
    readonly seconds: number;
  }
  | { readonly type: "done"; readonly tokens: number; readonly seconds: number }
  | { readonly type: "error"; readonly message: string };
