import type { TextTokenizer, WeightSource } from "../../data/mod.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import { evaluateByLayer } from "../../eval/measure/evaluate_by_layer.ts";
import type { ModelConfig } from "../../eval/mod.ts";
import { containerWeights } from "../../hierarchy/container_weights.ts";
import { compareWith, readEarlierRun } from "./against.ts";
import { findCompressed } from "../input/compressed_argument.ts";
import { UsageError } from "../terminal/errors.ts";
import { type EvaluationOutcome, printEvaluation } from "./evaluation_report.ts";
import { type ComparedModel, openCompressedFile } from "./evaluation_subject.ts";
import { type MeasuredText, readMeasuredText } from "./measure.ts";
import { checkModel, openNamedModel } from "../input/original_model.ts";
import { perplexityNotes } from "./perplexity_notes.ts";
import { quantizationNotes } from "./quantization_note.ts";
import type { EvaluateOptions } from "../options/evaluate_options.ts";
import type { Sizes } from "./sizes.ts";
import type { Run } from "../terminal/run.ts";

/** What is measured, its weights not read yet. */
interface LazySubject {
  readonly name: string;
  readonly config: ModelConfig;
  readonly tokenizer: TextTokenizer;
  readonly original: WeightSource;
  readonly compressed?: WeightSource;
  readonly sizes?: Sizes;
  readonly comparedWith?: ComparedModel;
}

/** `evaluate --low-memory`: measures with the weights of one layer in memory at a time. */
export async function measureByLayer(
  argument: string | undefined,
  options: EvaluateOptions,
  run: Run,
): Promise<void> {
  const earlier = options.against === undefined ? undefined : await readEarlierRun(options.against);
  const { text, vocabularySize, ...subject } = await prepare(argument, options, run);
  if (text.warning !== undefined) run.writeLine(text.warning);
  const { name, config, original, compressed, sizes, comparedWith } = subject;
  const result = await run.phase("evaluate", (progress) =>
    evaluateByLayer({
      config,
      original,
      ...(compressed === undefined ? {} : { compressed }),
      ...text.evaluation,
      backend: options.backend,
      onProgress: (share) => progress(share),
      signal: run.signal,
    }));
  const outcome: EvaluationOutcome = {
    model: name,
    result,
    notes: [
      ...perplexityNotes(result, vocabularySize),
      ...quantizationNotes(sizes?.originalQuantization),
    ],
    seconds: run.seconds(),
    command: run.command,
    ...(sizes === undefined ? {} : { sizes }),
    ...(comparedWith === undefined ? {} : { comparedWith }),
    ...(earlier === undefined ? {} : { against: compareWith(earlier, result) }),
  };
  printEvaluation(outcome, text.name, options, run);
}

interface PreparedSubject extends Omit<LazySubject, "tokenizer"> {
  readonly text: MeasuredText;
  readonly vocabularySize: number;
}

/** Opens what is measured and reads the text; the tokenizer, which may be large, is not kept. */
async function prepare(
  argument: string | undefined,
  options: EvaluateOptions,
  run: Run,
): Promise<PreparedSubject> {
  const { tokenizer, ...subject } = await openLazily(argument, options.original, run);
  const names = subject.original.tensors.map(({ name }) => name);
  const description = describeModel(subject.config, names);
  const text = await readMeasuredText(options, tokenizer, description);
  // The tokens alone, not a part of those of a long text.
  const evaluation = { ...text.evaluation, tokens: text.evaluation.tokens.slice() };
  const { vocabularySize } = description;
  return { ...subject, vocabularySize, text: { ...text, evaluation } };
}

async function openLazily(
  argument: string | undefined,
  originalName: string | undefined,
  run: Run,
): Promise<LazySubject> {
  const found = argument === undefined ? undefined : await findCompressed(argument);
  if (found === undefined) {
    if (originalName !== undefined) {
      throw new UsageError("--original is for a compressed model; this one is not compressed");
    }
    const model = await openNamedModel(argument, run);
    checkModel(model);
    const { name, config, weights } = model;
    return { name, config, tokenizer: await model.tokenizer(), original: weights };
  }
  const { container, originalModel, ...subject } = await openCompressedFile(
    found,
    originalName,
    run,
  );
  const compressed = containerWeights(container, { signal: run.signal });
  if (originalModel === undefined) return { ...subject, original: compressed };
  checkModel(originalModel);
  return { ...subject, original: originalModel.weights, compressed };
}
