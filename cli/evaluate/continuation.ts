import type { ChatMessage } from "../../data/chat/chat_template.ts";
import { printableText } from "../../data/printable.ts";
import { generateReply } from "../../eval/generation/chat.ts";
import { endTokens } from "../../eval/generation/end_tokens.ts";
import type { TextGenerationOptions } from "../../eval/generation/generate.ts";
import { generateText, type GenerativeModel, useBackend } from "../../eval/mod.ts";
import { withTfjs } from "../input/available_backend.ts";
import { comparedLine, openSubject, type Subject } from "./evaluation_subject.ts";
import { openWriter } from "./writer.ts";
import { formatColumns } from "../terminal/text_table.ts";
import {
  CONTINUATION_TOKENS,
  type EvaluateOptions,
  REPLY_TOKENS,
} from "../options/evaluate_options.ts";
import type { Run } from "../terminal/run.ts";

/** What the models that there are write, without what they were given. */
export interface Continuations {
  /** What the original writes. */
  readonly original?: string;
  /** What the compressed model writes. */
  readonly compressed?: string;
}

/** `evaluate --prompt`: shows how the models continue a text. */
export async function showContinuations(
  prompt: string,
  argument: string | undefined,
  options: EvaluateOptions,
  run: Run,
): Promise<void> {
  const subject = await openSubject(argument, options.original, run);
  const { maxTokens = CONTINUATION_TOKENS } = options;
  const continuations = await letWrite(
    subject,
    { ...options, maxTokens },
    run,
    (model, sampling) => generateText(model, subject.tokenizer, prompt, sampling),
  );
  print({ prompt, continuations }, subject, options, run, (width) => {
    return continuationText(prompt, continuations, width);
  });
}

/** `evaluate --chat`: shows what the models answer, through the chat template. */
export async function showReplies(
  text: string,
  argument: string | undefined,
  options: EvaluateOptions,
  run: Run,
): Promise<void> {
  const subject = await openSubject(argument, options.original, run);
  const { maxTokens = REPLY_TOKENS, system } = options;
  const template = await subject.chatTemplate();
  const messages: ChatMessage[] = [
    ...(system === undefined ? [] : [{ role: "system", content: system }]),
    { role: "user", content: text },
  ];
  // A template that refuses the conversation says so before any model has been run.
  template.render(messages, true);
  const replies = await letWrite(
    subject,
    { ...options, maxTokens },
    run,
    (model, sampling) => generateReply(model, subject.tokenizer, template, messages, sampling),
  );
  print({ messages, replies }, subject, options, run, (width) => {
    return replyText(messages, replies, width);
  });
}

/** Has the original and the compressed model write from the same seed. */
async function letWrite(
  subject: Subject,
  { backend, threads, maxTokens, temperature, topK, topP, seed }: WritingOptions,
  run: Run,
  write: (model: GenerativeModel, sampling: TextGenerationOptions) => Promise<string>,
): Promise<Continuations> {
  const { config, tokenizer, generationConfig } = subject;
  const name = withTfjs({ backend }).backend;
  await useBackend(name);
  const limit = topK === 0 ? {} : { topK };
  const eosTokenId = endTokens(config, tokenizer, await generationConfig());
  const { signal } = run;
  const sampling = { maxTokens, temperature, ...limit, topP, seed, threads, eosTokenId, signal };
  const continuations: { original?: string; compressed?: string } = {};
  for (const role of ["original", "compressed"] as const) {
    const model = await openWriter(subject, role, name, run);
    if (model === undefined) continue;
    try {
      continuations[role] = await run.phase("generate", () => write(model, sampling));
    } finally {
      model.dispose();
    }
  }
  return continuations;
}

type WritingOptions = EvaluateOptions & { readonly maxTokens: number };

function print(
  fields: Readonly<Record<string, unknown>>,
  { name, comparedWith }: Subject,
  { json }: EvaluateOptions,
  run: Run,
  text: (width: number) => string,
): void {
  const which = comparedWith === undefined ? {} : { comparedWith };
  if (comparedWith !== undefined) run.writeLine(comparedLine(comparedWith));
  if (json) run.printJson({ model: name, ...which, ...fields });
  else run.print(text(run.width));
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

/** A conversation for people, the answers side by side where there are two. */
export function replyText(
  messages: readonly ChatMessage[],
  { original, compressed }: Continuations,
  width: number,
): string {
  const said = messages.map(({ role, content }) => `${role}: ${printableText(content)}`);
  const answers = original === undefined || compressed === undefined
    ? `assistant: ${(original ?? compressed ?? "").trim()}`
    : formatColumns(["original", "compressed"], [original.trim(), compressed.trim()], width);
  return [...said, answers].join("\n\n");
}
