import type { ChatMessage, ChatTemplate } from "../../data/chat/chat_template.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import { endTokens } from "./end_tokens.ts";
import { decodeAdded } from "./added_text.ts";
import { collectTokens, type TextGenerationOptions } from "./generate.ts";
import type { GenerativeModel } from "../model/token_runner.ts";

/** What stands for a message in a template, to see what comes after it. */
export const MESSAGE_PLACEHOLDER = "placeholder of a message";

/**
 * The token ids of a conversation up to where the model is to speak, those of transformers'
 * `apply_chat_template`: the template writes all special tokens itself. Throws
 * {@linkcode InputError} if the template refuses the conversation.
 *
 * ```ts
 * import { createChatTemplate } from "../../data/chat/chat_template.ts";
 * import { embeddedModelPath, openModel } from "@kanpress/kanpress/data";
 * import { chatPrompt } from "./chat.ts";
 * import assert from "node:assert";
 *
 * const tokenizer = await (await openModel(embeddedModelPath())).tokenizer();
 * const template = createChatTemplate("{{ messages[0].content }} He said:");
 * const ids = chatPrompt(template, tokenizer, [{ role: "user", content: "She left." }]);
 * assert.equal(tokenizer.decode(ids), "She left. He said:");
 * ```
 */
export function chatPrompt(
  template: ChatTemplate,
  tokenizer: Pick<TextTokenizer, "encode">,
  messages: readonly ChatMessage[],
): Int32Array {
  return tokenizer.encode(template.render(messages, true));
}

/**
 * The tokens with which a template ends what the model says, such as `<|im_end|>`: config files do
 * not always name them. None where turns end with ordinary text.
 */
export function turnEndTokens(
  template: ChatTemplate,
  { encode, isSpecial }: Pick<TextTokenizer, "encode" | "isSpecial">,
): number[] {
  const messages = [
    { role: "user", content: MESSAGE_PLACEHOLDER },
    { role: "assistant", content: MESSAGE_PLACEHOLDER },
  ];
  const text = template.render(messages, false);
  const [first] = encode(
    text.slice(text.lastIndexOf(MESSAGE_PLACEHOLDER) + MESSAGE_PLACEHOLDER.length).trimStart(),
  );
  return first !== undefined && isSpecial?.(first) ? [first] : [];
}

/**
 * What a model answers in a conversation, as text. It ends with the model's turn: at a token that the
 * template ends turns with, or at `eosTokenId`. Throws {@linkcode InputError} if the template refuses
 * the conversation, and for options that make no sense.
 */
export async function generateReply(
  model: GenerativeModel,
  tokenizer: TextTokenizer,
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  options: TextGenerationOptions = {},
): Promise<string> {
  const { eosTokenId = endTokens(model.config, tokenizer), ...rest } = options;
  const prompt = chatPrompt(template, tokenizer, messages);
  const ends = [...[eosTokenId].flat(), ...turnEndTokens(template, tokenizer)];
  const added = await collectTokens(model, tokenizer, prompt, { ...rest, eosTokenId: ends });
  return decodeAdded(tokenizer, prompt, added);
}
