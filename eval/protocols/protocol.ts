import { InputError } from "../../data/input_error.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { checkTokenIds } from "../architectures/token_ids.ts";
import { gptqWindows } from "./gptq.ts";
import { defaultStride, huggingFaceWindows } from "./hugging_face.ts";
import { llamaCppWindows } from "./llama_cpp.ts";
import { pseudoPerplexityWindows } from "./pseudo_perplexity.ts";
import type { Window, WindowText } from "./window.ts";

/** How a text is cut into windows and which predictions count. */
export type ProtocolName = "llama.cpp" | "gptq" | "huggingface" | "pseudo";

interface Protocol {
  readonly objective: TransformerDescription["objective"];
  /** Context where none is chosen, if the model's is as long. */
  readonly contextLength: number;
  /** Shortest context in which something is predicted. */
  readonly shortestContext: number;
  readonly windows: (text: WindowText) => Window[];
}

const protocols: Readonly<Record<ProtocolName, Protocol>> = {
  "llama.cpp": {
    objective: "nextToken",
    contextLength: 512,
    shortestContext: 4,
    windows: llamaCppWindows,
  },
  gptq: {
    objective: "nextToken",
    contextLength: 2048,
    shortestContext: 2,
    windows: gptqWindows,
  },
  huggingface: {
    objective: "nextToken",
    contextLength: 1024,
    shortestContext: 2,
    windows: huggingFaceWindows,
  },
  pseudo: {
    objective: "maskedToken",
    contextLength: 128,
    shortestContext: 3,
    windows: pseudoPerplexityWindows,
  },
};

/** Every {@linkcode ProtocolName}. */
export const protocolNames: readonly ProtocolName[] = Object.keys(protocols) as ProtocolName[];

/** A protocol with its lengths. */
export interface ProtocolSettings {
  /** Which protocol. */
  readonly name: ProtocolName;
  /** Longest window in tokens. */
  readonly contextLength: number;
  /** Tokens from one window's beginning to the next; for overlapping windows only. */
  readonly stride?: number;
}

/** What of a protocol may be chosen. */
export interface ProtocolChoice {
  /** If omitted: llama.cpp's, or pseudo-perplexity for masked models. */
  readonly protocol?: ProtocolName;
  /** If omitted: the protocol's usual one, but at most the model's. */
  readonly contextLength?: number;
  /** For `huggingface`, 1 to the context; half of the context if omitted. */
  readonly stride?: number;
}

/**
 * The protocol to measure a model with. Throws {@linkcode InputError} if the choice does not suit
 * the model.
 */
export function chooseProtocol(
  model: TransformerDescription,
  choice: ProtocolChoice,
): ProtocolSettings {
  if (model.objective === "classification") {
    throw new InputError("a classifier predicts no tokens and has no perplexity; choose a task");
  }
  const name = choice.protocol ?? (model.objective === "maskedToken" ? "pseudo" : "llama.cpp");
  if (!protocolNames.includes(name)) {
    throw new InputError(`unknown protocol "${name}"; choose one of ${protocolNames.join(", ")}`);
  }
  const protocol = protocols[name];
  if (protocol.objective !== model.objective) {
    const suited = protocolNames.filter((other) => protocols[other].objective === model.objective);
    throw new InputError(
      `the protocol ${name} does not suit this ${model.modelType} model; choose ` +
        suited.join(" or "),
    );
  }
  const contextLength = choice.contextLength ??
    Math.min(protocol.contextLength, model.contextLength);
  checkContext(contextLength, protocol.shortestContext, model.contextLength);
  if (name !== "huggingface") {
    if (choice.stride === undefined) return { name, contextLength };
    throw new InputError(`the protocol ${name} has no stride; choose huggingface`);
  }
  const stride = choice.stride ?? defaultStride(contextLength);
  if (Number.isSafeInteger(stride) && stride >= 1 && stride <= contextLength) {
    return { name, contextLength, stride };
  }
  throw new InputError(
    `a stride of ${stride} is not from 1 to the context of ${contextLength}; choose one that is`,
  );
}

function checkContext(contextLength: number, shortest: number, longest: number): void {
  if (!Number.isSafeInteger(contextLength) || contextLength < shortest) {
    throw new InputError(
      `a context of ${contextLength} tokens is too short; choose at least ${shortest}`,
    );
  }
  if (contextLength > longest) {
    throw new InputError(
      `a context of ${contextLength} tokens is longer than the model's ${longest}; choose at most ` +
        `${longest}`,
    );
  }
}

/**
 * Cuts a text into the windows of a protocol. Throws {@linkcode InputError} if it is empty, too
 * short for one window, or has tokens that the model does not know.
 */
export function planWindows(
  model: TransformerDescription,
  { name, contextLength, stride }: ProtocolSettings,
  text: Omit<WindowText, "contextLength" | "stride">,
): Window[] {
  if (text.tokens.length === 0) {
    throw new InputError("the text is empty; give one with words in it");
  }
  const { bosTokenId, eosTokenId, maskTokenId } = text;
  const special = [bosTokenId, eosTokenId, maskTokenId].filter((id) => id !== undefined);
  checkTokenIds(text.tokens, model.vocabularySize);
  checkTokenIds(Int32Array.from(special), model.vocabularySize);
  const windows = protocols[name].windows({
    ...text,
    contextLength,
    ...(stride !== undefined && { stride }),
  });
  if (windows.length > 0) return windows;
  const begin = bosTokenId === undefined ? 0 : 1;
  throw new InputError(
    `the text has ${text.tokens.length} tokens, but one chunk needs ${contextLength - begin}; ` +
      "give a longer text or a smaller context",
  );
}
