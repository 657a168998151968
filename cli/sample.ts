import { availableBackend } from "./input/available_backend.ts";
import type { MeasureOptions } from "./options/measure_options.ts";
import { basename, join } from "node:path";
import { printableLine } from "../data/printable.ts";
import { writeFileAtomically } from "../data/write_file.ts";
import { sampleTokens } from "../eval/mod.ts";
import { textFile } from "./output/kinds.ts";
import { openOutput } from "./output/output.ts";
import { checkModel, openNamedModel, readFiniteWeights } from "./input/original_model.ts";
import type { Run } from "./terminal/run.ts";

/** Options of `sample`. */
export interface SampleCommandOptions extends Pick<MeasureOptions, "threads" | "backend"> {
  /** About how many tokens the model writes. */
  readonly tokens: number;
  /** Tokens of each text, at most the model's context. */
  readonly context: number;
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
  const options = await availableBackend(given, run);
  const { backend, threads, seed, out } = options;
  using output = out === undefined ? undefined : await openOutput(out, textFile);
  const model = await openNamedModel(modelName, run);
  const contextLength = Math.min(checkModel(model).contextLength, options.context);
  const tokenizer = await model.tokenizer();
  const weights = await run.phase("read", () => readFiniteWeights(model));
  const firstToken = tokenizer.bosTokenId ?? tokenizer.eosTokenId;
  const tokens = await run.phase("sample", (progress) =>
    sampleTokens({
      config: model.config,
      weights,
      sequences: Math.ceil(options.tokens / contextLength),
      length: contextLength,
      backend,
      threads,
      seed,
      ...(firstToken === undefined ? {} : { firstToken }),
      onProgress: (share) => progress(share),
      signal: run.signal,
    }));
  const paragraphs: string[] = [];
  const skipped = firstToken === undefined ? 0 : 1;
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
