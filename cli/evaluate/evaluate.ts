import { greatest } from "../../data/extremes.ts";
import { elementCount } from "../../data/tensor.ts";
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
import { checkTexts, type MeasuredText, measureModels, readMeasuredTexts } from "./measure.ts";
import {
  type FurtherFigures,
  measureParts,
  type PartFigures,
  type TextFigures,
} from "./further_figures.ts";
import { announce } from "../forecast/announce.ts";
import { evaluateForecast, tokensRead, wayToNative } from "../forecast/evaluate_forecast.ts";
import { measuringBytes } from "../forecast/memory_need.ts";
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
  await checkTexts(options.text);
  const { subject, texts } = await openMeasured(argument, options, run);
  const [text] = texts;
  const { name, description, sizes, comparedWith } = subject;
  for (const { warning } of texts) if (warning !== undefined) run.writeLine(warning);
  const byLayer = options.lowMemory ||
    !options.byPart && texts.every((one) => runsByLayer(subject, one, options));
  const isPair = (subject.container ?? subject.variant) !== undefined &&
    subject.original !== undefined;
  const { backend, threads } = options;
  const forecast = evaluateForecast(description, {
    backend,
    threads,
    tokens: texts.reduce((sum, { evaluation }) => sum + tokensRead(evaluation), 0),
    models: isPair ? 2 : 1,
    decodes: subject.container !== undefined,
    byLayer,
    memory: neededMemory(subject, texts, byLayer, options),
  }, wayToNative(run.program));
  const learn = await announce(run, forecast, { backend });
  if (options.byPart && !isPair) {
    throw new UsageError(
      "--by-part sets a compressed model beside its original; name both, one with --original",
    );
  }
  const { further, result } = byLayer
    ? await measureTextsByLayer(subject, texts, options, run)
    : await measureWhole(subject, texts, options, run);
  const outcome: EvaluationOutcome = {
    model: name,
    result,
    ...further,
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

/** Bytes that measuring takes at its peak, about. */
function neededMemory(
  { container, variant, original, description }: Omit<Subject, "tokenizer">,
  texts: readonly MeasuredText[],
  byLayer: boolean,
  { backend, threads }: EvaluateOptions,
): number {
  const sources = [variant, original].filter((source) => source !== undefined);
  const decoded = container?.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0) ?? 0;
  return measuringBytes(description, {
    backend,
    threads,
    byLayer,
    decoded,
    checkpoints: sources.map(({ weights }) => weights.tensors),
    tokens: greatest(texts.map(({ evaluation }) => evaluation.tokens.length)),
  });
}

/** Opens what is measured and reads the text; the tokenizer, which may be large, is not kept. */
async function openMeasured(
  argument: string | undefined,
  options: EvaluateOptions,
  run: Run,
): Promise<{ subject: Omit<Subject, "tokenizer">; texts: [MeasuredText, ...MeasuredText[]] }> {
  const { tokenizer, ...subject } = await openSubject(argument, options.original, run);
  if (options.plot !== undefined && subject.sizes === undefined) {
    throw new UsageError("--plot shows a compressed model; name one");
  }
  return { subject, texts: await readMeasuredTexts(options, tokenizer, subject.description) };
}

/** What the first text gave, and everything beside. */
interface MeasuredSubject {
  readonly result: EvaluationResult;
  readonly further: FurtherFigures;
}

async function measureTextsByLayer(
  subject: ReadableSubject,
  texts: readonly MeasuredText[],
  options: EvaluateOptions,
  run: Run,
): Promise<MeasuredSubject> {
  const figures: TextFigures[] = [];
  for (const text of texts) {
    figures.push({ name: text.name, result: await measureByLayer(subject, text, options, run) });
  }
  return { result: figures[0]!.result, further: { texts: figures } };
}

async function measureWhole(
  subject: ReadableSubject & Pick<Subject, "description">,
  texts: readonly MeasuredText[],
  options: EvaluateOptions,
  run: Run,
): Promise<MeasuredSubject> {
  const models = { config: subject.config, ...pairOf(await readSubject(subject, run)) };
  const { compressed } = models;
  const figures = await run.phase("evaluate", async (progress) => {
    const done: TextFigures[] = [];
    for (const text of texts) {
      const share = (part: number) => progress((done.length + part) / texts.length);
      const context = { progress: share, signal: run.signal };
      done.push({ name: text.name, result: await measureModels(models, text, options, context) });
    }
    return done;
  });
  let parts: PartFigures[] | undefined;
  if (options.byPart && compressed !== undefined) {
    const pair = { ...models, compressed };
    parts = await measureParts(pair, subject.description, texts[0]!, options, run);
  }
  return { result: figures[0]!.result, further: { texts: figures, ...(parts && { parts }) } };
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
