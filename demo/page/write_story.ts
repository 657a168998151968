import { chatPrompt, turnEndTokens } from "../../eval/generation/chat.ts";
import { decodeAdded } from "../../eval/generation/generate.ts";
import type { LoadedModel } from "./loaded_model.ts";
import type { StoryOptions } from "./messages.ts";

/** Writes a story, or answers: gives the text so far, without the prompt, after each token. */
export async function* writeStory(
  { engine, tokenizer, chatTemplate, ends }: LoadedModel,
  { prompt, chat, maxTokens, temperature, seed }: StoryOptions,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const template = chat ? chatTemplate : undefined;
  const encoded = template === undefined
    ? tokenizer.encode(prompt)
    : chatPrompt(template, tokenizer, [{ role: "user", content: prompt }]);
  const { bosTokenId, addsBos } = tokenizer;
  const begins = bosTokenId !== undefined && (addsBos || encoded.length === 0);
  // Templates write the token that begins texts themselves.
  const ids = begins && template === undefined ? Int32Array.of(bosTokenId, ...encoded) : encoded;
  const added: number[] = [];
  const turnEnds = template === undefined ? [] : turnEndTokens(template, tokenizer);
  const sampling = { temperature, topK: 40, topP: 0.95, seed, signal };
  const options = { ...sampling, eosTokenId: [...ends, ...turnEnds] };
  for await (const token of engine.generate(ids, options)) {
    added.push(token);
    yield decodeAdded(tokenizer, encoded, added);
    if (added.length >= maxTokens) return;
  }
}
