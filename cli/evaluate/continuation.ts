import type { StateDict } from "../../data/mod.ts";
import { createLanguageModel, generateText, useBackend } from "../../eval/mod.ts";
import { endTokens } from "../../eval/generation/end_tokens.ts";
import type { Subject } from "./evaluation_subject.ts";
import { formatColumns } from "../terminal/text_table.ts";
import type { Progress } from "../terminal/phases.ts";
import type { EvaluateOptions } from "../options/evaluate_options.ts";

/** How the models that there are go on from a prompt, the prompt not included. */
export interface Continuations {
  /** What the original writes. */
  readonly original?: string;
  /** What the compressed model writes. */
  readonly compressed?: string;
}

/** Has the original and the compressed model continue a prompt from the same seed. */
export async function continuePrompt(
  prompt: string,
  { config, tokenizer, original, compressed, generationConfig }: Subject,
  { backend, maxTokens, temperature, topK, topP, seed }: EvaluateOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<Continuations> {
  await useBackend(backend);
  const limit = topK === 0 ? {} : { topK };
  const eosTokenId = endTokens(config, tokenizer, await generationConfig());
  const sampling = { maxTokens, temperature, ...limit, topP, seed, eosTokenId, signal };
  const run = async (weights: StateDict) => {
    const model = createLanguageModel(config, weights);
    try {
      return await generateText(model, tokenizer, prompt, sampling);
    } finally {
      model.dispose();
    }
  };
  const first = original === undefined ? {} : { original: await run(original) };
  progress(0.5);
  return compressed === undefined ? first : { ...first, compressed: await run(compressed) };
}

/** The continuations for people: side by side where there are two. */
export function continuationText(
  prompt: string,
  { original, compressed }: Continuations,
  width: number,
): string {
  const whole = (continuation: string | undefined) => `${prompt}${continuation ?? ""}`;
  if (original === undefined || compressed === undefined) return whole(original ?? compressed);
  return formatColumns(["original", "compressed"], [whole(original), whole(compressed)], width);
}
