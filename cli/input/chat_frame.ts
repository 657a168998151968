import type { ChatTemplate } from "../../data/chat/chat_template.ts";
import { readChatTemplate } from "../../data/chat/read_chat_template.ts";
import { InputError, type ModelSource, type TextTokenizer } from "../../data/mod.ts";
import { type ConversationFrame, conversationFrame } from "../../eval/generation/conversation.ts";
import { endTokens } from "../../eval/generation/end_tokens.ts";
import { readGenerationConfig } from "./generation_config.ts";

/**
 * What a chat template puts around messages, and what ends those. Throws {@linkcode InputError} where it
 * does not keep messages apart.
 */
export async function frameOfTemplate(
  template: ChatTemplate,
  model: ModelSource,
  tokenizer: TextTokenizer,
): Promise<ConversationFrame> {
  const ends = endTokens(model.config, tokenizer, await readGenerationConfig(undefined, model));
  return conversationFrame(template, tokenizer, ends);
}

/**
 * What a model's chat template puts around messages, for it to write conversations; undefined if it
 * has none, or one that does not keep messages apart.
 */
export async function chatFrame(
  model: ModelSource,
  tokenizer: TextTokenizer,
): Promise<ConversationFrame | undefined> {
  try {
    const template = await readChatTemplate(model.companions, model.config);
    return template && await frameOfTemplate(template, model, tokenizer);
  } catch (error) {
    // A model can write plain text whatever is the matter with its template.
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
