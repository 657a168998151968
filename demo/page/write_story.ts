import { chatPrompt, turnEndTokens } from "../../eval/generation/chat.ts";
import { GrowingText } from "../../eval/generation/added_text.ts";
import type { LoadedModel } from "./loaded_model.ts";
import type { StoryOptions } from "./messages.ts";

/** A story so far, without the prompt. */
export interface StorySoFar {
  /** Its text; while it goes on, without a character that is not there as a whole. */
  readonly text: string;
  /** Its tokens. */
  readonly tokens: number;
}

/** Writes a story, or answers: gives what there is after each token, and once more at the end. */
export async function* writeStory(
  { engine, tokenizer, chatTemplate, ends }: LoadedModel,
  { prompt, chat, maxTokens, temperature, seed }: StoryOptions,
  signal: AbortSignal,
): AsyncGenerator<StorySoFar> {
  const template = chat ? chatTemplate : undefined;
  const encoded = template === undefined
    ? tokenizer.encode(prompt)
    : chatPrompt(template, tokenizer, [{ role: "user", content: prompt }]);
  const { bosTokenId, addsBos } = tokenizer;
  const begins = bosTokenId !== undefined && (addsBos || encoded.length === 0);
  // Templates write the token that begins texts themselves.
  const ids = begins && template === undefined ? Int32Array.of(bosTokenId, ...encoded) : encoded;
  const added = new GrowingText(tokenizer, encoded);
  const turnEnds = template === undefined ? [] : turnEndTokens(template, tokenizer);
  const sampling = { temperature, topK: 40, topP: 0.95, seed, signal };
  const options = { ...sampling, eosTokenId: [...ends, ...turnEnds] };
  for await (const token of engine.generate(ids, options)) {
    const text = added.add(token);
    if (added.tokens >= maxTokens) break;
    yield { text, tokens: added.tokens };
  }
  yield { text: added.whole(), tokens: added.tokens };
}
