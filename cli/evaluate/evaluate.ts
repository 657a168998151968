import { availableBackend } from "../input/available_backend.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import type { EvaluationResult } from "../../eval/mod.ts";
import type { Figure } from "../../eval/plots/figure.ts";
import { tradeOffFigure } from "../../eval/plots/trade_off.ts";
import { compareWith, readEarlierRun } from "./against.ts";
import { showContinuations, showReplies } from "./continuation.ts";
import { type EvaluationOutcome, printEvaluation } from "./evaluation_report.ts";
import { UsageError } from "../terminal/errors.ts";
import { askTask } from "./task.ts";
import { openSubject, type Subject } from "./evaluation_subject.ts";
import { measureByLayer } from "./low_memory.ts";
import { measureModels, readMeasuredText } from "./measure.ts";
import { openPicture, type PictureOutput } from "../output/picture.ts";
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
  const options = await availableBackend(given, run);
  if (options.lowMemory) return await measureByLayer(argument, options, run);
  using picture = await openPicture(options.plot, run);
  const subject = await openSubject(argument, options.original, run);
  if (options.plot !== undefined && subject.compressed === undefined) {
    throw new UsageError("--plot shows a compressed model; name one");
  }
  if (options.task !== undefined) await askTask(options.task, subject, options, run);
  else if (options.chat !== undefined) await showReplies(options.chat, subject, options, run);
  else if (options.prompt === undefined) await measure(subject, options, picture, run);
  else await showContinuations(options.prompt, subject, options, run);
}

async function measure(
  { name, config, tokenizer, original, compressed, sizes, comparedWith }: Subject,
  options: EvaluateOptions,
  picture: PictureOutput | undefined,
  run: Run,
): Promise<void> {
  const models = original === undefined || compressed === undefined
    ? { config, original: original ?? compressed ?? new Map() }
    : { config, original, compressed };
  const earlier = options.against === undefined ? undefined : await readEarlierRun(options.against);
  const model = describeModel(config, models.original.keys());
  const text = await readMeasuredText(options, tokenizer, model);
  if (text.warning !== undefined) run.writeLine(text.warning);
  const result = await run.phase(
    "evaluate",
    (progress) => measureModels(models, text, options, { progress, signal: run.signal }),
  );
  const outcome: EvaluationOutcome = {
    model: name,
    result,
    notes: [
      ...perplexityNotes(result, model.vocabularySize),
      ...quantizationNotes(sizes?.originalQuantization),
    ],
    seconds: run.seconds(),
    command: run.command,
    ...(sizes === undefined ? {} : { sizes }),
    ...(comparedWith === undefined ? {} : { comparedWith }),
    ...(earlier === undefined ? {} : { against: compareWith(earlier, result) }),
  };
  if (sizes !== undefined) await picture?.draw(tradeOff(result, sizes));
  printEvaluation(outcome, text.name, options, run);
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
