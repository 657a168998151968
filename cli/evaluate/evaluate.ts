import { availableBackend, withTfjs } from "../input/available_backend.ts";
import type { EvaluationResult } from "../../eval/mod.ts";
import type { Figure } from "../../eval/plots/figure.ts";
import { tradeOffFigure } from "../../eval/plots/trade_off.ts";
import { compareWith, readEarlierRun } from "./against.ts";
import { showContinuations, showReplies } from "./continuation.ts";
import { type EvaluationOutcome, printEvaluation } from "./evaluation_report.ts";
import { UsageError } from "../terminal/errors.ts";
import { askTask } from "./task.ts";
import {
  openSubject,
  pairOf,
  type ReadableSubject,
  readSubject,
  type Subject,
} from "./evaluation_subject.ts";
import { measureByLayer, runsByLayer } from "./low_memory.ts";
import { checkText, type MeasuredText, measureModels, readMeasuredText } from "./measure.ts";
import { announce } from "../forecast/announce.ts";
import { evaluateForecast, tokensRead, wayToNative } from "../forecast/evaluate_forecast.ts";
import { openPicture } from "../output/picture.ts";
import { perplexityNotes } from "./perplexity_notes.ts";
import { quantizationNotes } from "./quantization_note.ts";
import type { EvaluateOptions } from "../options/evaluate_options.ts";
import type { Sizes } from "./sizes.ts";
import type { Run } from "../terminal/run.ts";

/** `evaluate`: measures a model, or shows how it continues a prompt or answers in a chat. */
export async function evaluate(
  argument: string | undefined,
  given: EvaluateOptions,
  run: Run,
): Promise<void> {
  // Token by token, tfjs runs models.
  const byTfjs = given.prompt !== undefined || given.chat !== undefined;
  const options = await availableBackend(byTfjs ? withTfjs(given) : given, run);
  if (options.task !== undefined) await askTask(options.task, argument, options, run);
  else if (options.chat !== undefined) await showReplies(options.chat, argument, options, run);
  else if (options.prompt === undefined) await measure(argument, options, run);
  else await showContinuations(options.prompt, argument, options, run);
}

async function measure(
  argument: string | undefined,
  options: EvaluateOptions,
  run: Run,
): Promise<void> {
  const { against, plot } = options;
  using picture = await openPicture(plot, run);
  const earlier = against === undefined ? undefined : await readEarlierRun(against);
  await checkText(options.text);
  const { subject, text } = await openMeasured(argument, options, run);
  const { name, description, sizes, comparedWith } = subject;
  if (text.warning !== undefined) run.writeLine(text.warning);
  const byLayer = options.lowMemory || runsByLayer(subject, text, options);
  const isPair = (subject.container ?? subject.variant) !== undefined &&
    subject.original !== undefined;
  const { backend, threads } = options;
  const forecast = evaluateForecast(description, {
    backend,
    threads,
    tokens: tokensRead(text.evaluation),
    models: isPair ? 2 : 1,
    decodes: subject.container !== undefined,
    byLayer,
  }, wayToNative(run.program));
  const learn = await announce(run, forecast, { backend });
  const result = byLayer
    ? await measureByLayer(subject, text, options, run)
    : await measureWhole(subject, text, options, run);
  const outcome: EvaluationOutcome = {
    model: name,
    result,
    notes: [
      ...perplexityNotes(result, description.vocabularySize),
      ...quantizationNotes(sizes?.originalQuantization),
    ],
    seconds: run.seconds(),
    command: run.command,
    backend: options.backend,
    ...(sizes === undefined ? {} : { sizes }),
    ...(comparedWith === undefined ? {} : { comparedWith }),
    ...(earlier === undefined ? {} : { against: compareWith(earlier, result) }),
  };
  if (sizes !== undefined) await picture?.draw(tradeOff(result, sizes));
  printEvaluation(outcome, text.name, options, run);
  await learn();
}

/** Opens what is measured and reads the text; the tokenizer, which may be large, is not kept. */
async function openMeasured(
  argument: string | undefined,
  options: EvaluateOptions,
  run: Run,
): Promise<{ subject: Omit<Subject, "tokenizer">; text: MeasuredText }> {
  const { tokenizer, ...subject } = await openSubject(argument, options.original, run);
  if (options.plot !== undefined && subject.sizes === undefined) {
    throw new UsageError("--plot shows a compressed model; name one");
  }
  return { subject, text: await readMeasuredText(options, tokenizer, subject.description) };
}

async function measureWhole(
  subject: ReadableSubject,
  text: MeasuredText,
  options: EvaluateOptions,
  run: Run,
): Promise<EvaluationResult> {
  const models = { config: subject.config, ...pairOf(await readSubject(subject, run)) };
  return await run.phase(
    "evaluate",
    (progress) => measureModels(models, text, options, { progress, signal: run.signal }),
  );
}

/**
 * The compressed model and, where it is known, the original. Both have read the same text, so that
 * the change between them is known far better than either perplexity: the bars show its error.
 */
function tradeOff(
  { perplexity, perplexityStandardError, perplexityRatio }: EvaluationResult,
  { parameters, originalBytes, bitsPerWeight }: Sizes,
): Figure {
  const { original, compressed } = perplexity;
  const measure = "perplexity";
  if (compressed === undefined || perplexityRatio === undefined) {
    // A compressed model that is measured alone stands in the place of the original.
    const standardError = perplexityStandardError.original;
    const point = { method: "compressed", bitsPerWeight, value: original, standardError };
    return tradeOffFigure([point], { measure });
  }
  const points = [
    { method: "original", bitsPerWeight: 8 * originalBytes / parameters, value: original },
    {
      method: "compressed",
      bitsPerWeight,
      value: compressed,
      standardError: perplexityRatio.standardError * original,
    },
  ];
  const title = "Size against perplexity, with the standard error of the change";
  return tradeOffFigure(points, { measure, title });
}
