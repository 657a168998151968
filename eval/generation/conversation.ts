import type { ChatTemplate } from "../../data/chat/chat_template.ts";
import { InputError } from "../../data/input_error.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import { MESSAGE_PLACEHOLDER, turnEndTokens } from "./chat.ts";

/** How a conversation is told from plain text, for a model that writes both sides of it. */
export interface ConversationFrame {
  /** Tokens before the user's first message. */
  readonly beginning: readonly number[];
  /** Tokens between a message of the user and one of the model, and the other way round. */
  readonly between: readonly [userToModel: readonly number[], modelToUser: readonly number[]];
  /** Tokens that end a message. */
  readonly ends: readonly number[];
}

/**
 * What a chat template puts around messages; `ends` are more tokens that end what the model writes.
 * Throws {@linkcode InputError} where the template does not keep messages apart.
 */
export function conversationFrame(
  template: ChatTemplate,
  tokenizer: TextTokenizer,
  ends: readonly number[] = [],
): ConversationFrame {
  const messages = ["user", "assistant", "user"].map((role) => ({
    role,
    content: MESSAGE_PLACEHOLDER,
  }));
  const parts = template.render(messages, false).split(MESSAGE_PLACEHOLDER)
    .map((text) => [...tokenizer.encode(text)]);
  const [beginning, userToModel, modelToUser] = parts;
  if (
    parts.length !== 4 || !beginning?.length || !userToModel?.length || !modelToUser?.length
  ) {
    throw new InputError("the chat template does not keep messages apart, so none can be written");
  }
  return {
    beginning,
    between: [userToModel, modelToUser],
    ends: [...new Set([...ends, ...turnEndTokens(template, tokenizer)])],
  };
}

/**
 * Makes a conversation of what a model draws, token by token: where it ends a message, what the
 * template has between messages comes next, whatever the model draws meanwhile.
 */
export class ConversationWriter {
  readonly #frame: ConversationFrame;
  /** Tokens that are given and not drawn. */
  #given: readonly number[];
  #speaker: 0 | 1 = 0;

  /** A conversation that begins with the frame's beginning. */
  constructor(frame: ConversationFrame) {
    this.#frame = frame;
    this.#given = frame.beginning;
  }

  /** The next token, if the model draws this one; undefined stands for the first. */
  next(drawn?: number): number {
    if (this.#given.length === 0 && drawn !== undefined) {
      const { between, ends } = this.#frame;
      const after = between[this.#speaker]!;
      if (drawn !== after[0] && !ends.includes(drawn)) return drawn;
      this.#given = after;
      this.#speaker = this.#speaker === 0 ? 1 : 0;
    }
    const [token, ...rest] = this.#given;
    this.#given = rest;
    return token!;
  }
}
