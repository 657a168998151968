import { availableBackend, withTfjs } from "./input/available_backend.ts";
import type { MeasureOptions } from "./options/measure_options.ts";
import { basename, join } from "node:path";
import type { ModelSource, TextTokenizer } from "../data/mod.ts";
import { printableLine } from "../data/printable.ts";
import { writeFileAtomically } from "../data/write_file.ts";
import { sampleTokens } from "../eval/mod.ts";
import type { ConversationFrame } from "../eval/generation/conversation.ts";
import { requireChatTemplate } from "./input/chat_template.ts";
import { frameOfTemplate } from "./input/chat_frame.ts";
import { announce } from "./forecast/announce.ts";
import { modelWork, samplingSeconds } from "./forecast/step_costs.ts";
import { textFile } from "./output/kinds.ts";
import { openOutput } from "./output/output.ts";
import { checkModel, openNamedModel, readFiniteWeights } from "./input/original_model.ts";
import { formatTokenRate } from "../eval/report/number_text.ts";
import type { Run } from "./terminal/run.ts";

/** Options of `sample`. */
export interface SampleCommandOptions extends Pick<MeasureOptions, "threads" | "backend"> {
  /** About how many tokens the model writes. */
  readonly tokens: number;
  /** Tokens of each text, at most the model's context. */
  readonly context: number;
  /** Write conversations, through the model's chat template. */
  readonly chat?: true;
  /** Seed of the draws. */
  readonly seed: number;
  /** File to write; stdout if omitted. */
  readonly out?: string;
}

/** `sample`: lets a model write a text to calibrate on, a paragraph for each context of tokens. */
export async function sample(
  modelName: string | undefined,
  given: SampleCommandOptions,
  run: Run,
): Promise<void> {
  // Writing is not among what the native engine does.
  const options = await availableBackend(withTfjs(given), run);
  const { backend, threads, seed, out } = options;
  using output = out === undefined ? undefined : await openOutput(out, textFile);
  const model = await openNamedModel(modelName, run);
  const description = checkModel(model);
  const contextLength = Math.min(description.contextLength, options.context);
  const sequences = Math.ceil(options.tokens / contextLength);
  const seconds = samplingSeconds(modelWork(description), sequences * contextLength, options);
  const forecast = { phases: [{ name: "sample", seconds }], quicker: ["fewer --tokens"] };
  const learn = await announce(run, forecast, { backend });
  const tokenizer = await model.tokenizer();
  const weights = await run.phase("read", () => readFiniteWeights(model));
  const firstToken = tokenizer.bosTokenId ?? tokenizer.eosTokenId;
  const frame = options.chat ? await requireFrame(model, tokenizer) : undefined;
  const tokens = await run.phase("sample", (progress) =>
    sampleTokens({
      config: model.config,
      weights,
      sequences,
      length: contextLength,
      backend,
      threads,
      seed,
      ...(firstToken === undefined ? {} : { firstToken }),
      ...(frame === undefined ? {} : { frame }),
      onProgress: (share, rate) => progress(share, formatTokenRate(rate)),
      signal: run.signal,
    }));
  await learn();
  const paragraphs: string[] = [];
  // Where texts begin with BOS, calibration adds it.
  const begins = frame === undefined
    ? firstToken !== undefined
    : tokenizer.addsBos && frame.beginning[0] === tokenizer.bosTokenId;
  const skipped = begins ? 1 : 0;
  for (let start = 0; start < tokens.length; start += contextLength) {
    const sequence = tokens.subarray(start + skipped, start + contextLength);
    paragraphs.push(tokenizer.decode([...sequence]));
  }
  const text = paragraphs.join("\n\n");
  if (out === undefined) return run.printData(text);
  await output?.publish((folder) =>
    writeFileAtomically(join(folder, basename(out)), [new TextEncoder().encode(`${text}\n`)])
  );
  run.print(`written to ${printableLine(out)}`);
}

/** What the chat template puts around messages, and what ends those. */
async function requireFrame(
  model: ModelSource,
  tokenizer: TextTokenizer,
): Promise<ConversationFrame> {
  const { name, config } = model;
  const template = await requireChatTemplate({ name, model }, config, "leave --chat out");
  return await frameOfTemplate(template, model, tokenizer);
}
