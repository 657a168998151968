import type { EvaluationResult } from "../../eval/mod.ts";
import { formatCount, formatFixed, formatMeasure } from "../../eval/report/number_text.ts";
import { spread } from "../../eval/calibration/choose_chunks.ts";
import { type CalibrationOutcome, lossText } from "./calibration.ts";
import type { CalibrationOrigin } from "./calibration_text.ts";
import {
  type ComparedModels,
  EMBEDDED_TEXT,
  type MeasuredText,
  measureModels,
} from "../evaluate/measure.ts";
import type { Progress } from "../terminal/phases.ts";
import type { MeasureOptions } from "../options/measure_options.ts";

/** Tokens of the calibration text that are measured on. */
export const CHECKED_TOKENS = 2048;
/** Warns of a divergence this many times that on the calibration text. */
const FURTHER = 1.5;
/** Warns of a perplexity this many times the measured text's, or so small a part of it. */
const OTHER_TEXT = 3;

/** The text that a model was calibrated on. */
export type CheckedText = Omit<CalibrationOutcome, "metrics">;

/** What both models do on the calibration text, beside the measured one. */
export interface CalibrationCheck {
  /** Tokens that were calibrated on. */
  readonly tokens: number;
  /** Where they come from. */
  readonly origin: CalibrationOrigin;
  /** Share of the divergence that more text would save, about, where reading may end by itself. */
  readonly loss?: number;
  /** Inputs of the layer that has the most. */
  readonly widestInput: number;
  /** The original's perplexity on the calibration text. */
  readonly perplexity: number;
  /** Mean divergence of the compressed model from the original there, in nats. */
  readonly klDivergence: number;
}

/**
 * Measures both models on some of the calibration text. Weights are fitted to it: how much further
 * the compressed model is from the original elsewhere shows whether the text was of the right kind
 * and long enough.
 */
export async function checkCalibration(
  models: ComparedModels,
  { tokens, origin, contextLength, widestInput, loss }: CheckedText,
  { evaluation }: MeasuredText,
  options: Pick<MeasureOptions, "threads" | "backend">,
  context: { progress: Progress; signal: AbortSignal },
): Promise<CalibrationCheck> {
  const { bosTokenId } = evaluation;
  const text: MeasuredText = {
    name: "the calibration text",
    evaluation: {
      tokens: spread(tokens, CHECKED_TOKENS, contextLength),
      protocol: "llama.cpp",
      contextLength,
      ...(bosTokenId !== undefined && { bosTokenId }),
    },
  };
  const { perplexity, klDivergence } = await measureModels(models, text, options, context);
  return {
    tokens: tokens.length,
    origin,
    widestInput,
    ...(loss !== undefined && { loss }),
    perplexity: perplexity.original,
    klDivergence: klDivergence!.mean,
  };
}

/** What is said of where a calibration text comes from. */
const ORIGINS: Readonly<Record<CalibrationOrigin, string>> = {
  given: "",
  embedded: "",
  "several kinds": " of texts of several kinds and of what the model wrote",
  model: " that the model wrote",
};

/** What the check found, in one line for each thing; the first is always there. */
export function calibrationLines(
  check: CalibrationCheck,
  result: EvaluationResult,
  textName: string,
): string[] {
  const { tokens, origin, loss, perplexity, klDivergence } = check;
  const more = loss === undefined ? "" : ` (${lossText(loss)})`;
  return [
    `calibrated on ${formatCount(tokens)} tokens${
      ORIGINS[origin]
    }${more}; on that text perplexity ` +
    `${formatMeasure(perplexity)}, mean KL divergence ${formatMeasure(klDivergence)}`,
    ...calibrationWarnings(check, result, textName),
  ];
}

/** What to do where there are too few tokens. */
const ADVICE: Readonly<Record<CalibrationOrigin, string>> = {
  given: "give a longer --calibration text",
  embedded: "give a longer --calibration text",
  "several kinds": "allow more: --calibration-tokens",
  model: "have the model write more: --calibration-tokens",
};

/** Why the calibration text, or the measured one, may not do, each with what was measured. */
export function calibrationWarnings(
  { tokens, origin, widestInput, perplexity, klDivergence }: CalibrationCheck,
  { perplexity: measured, klDivergence: divergence }: EvaluationResult,
  textName: string,
): string[] {
  const warnings: string[] = [];
  // Where both are 0, as in a model of zeros, neither is more than the other.
  const times = (divergence?.mean ?? klDivergence) === klDivergence
    ? 1
    : divergence!.mean / klDivergence;
  const cost = `the divergence on the measured text is ${formatFixed(times, 2)} times that`;
  if (tokens < widestInput) {
    warnings.push(
      `warning: ${formatCount(tokens)} tokens tell nothing of most directions of the widest ` +
        `layer's ${formatCount(widestInput)} inputs; ${cost}; ` +
        ADVICE[origin],
    );
  }
  const ratio = perplexity / measured.original;
  const isOther = ratio > OTHER_TEXT || ratio < 1 / OTHER_TEXT;
  if (origin === "several kinds") {
    // Its perplexity is that of a mixture, which need not be the measured text's.
    if (times > FURTHER && warnings.length === 0) {
      warnings.push(
        `warning: ${cost}: what the model is used for may be too far from the texts that it was ` +
          "calibrated on; give some of its kind with --calibration",
      );
    }
  } else if (origin === "model" && textName === EMBEDDED_TEXT) {
    // What the model writes is its own kind of text; the embedded story need not be.
    if (isOther || (times > FURTHER && warnings.length === 0)) {
      warnings.push(
        `warning: ${cost}: the embedded text, by the original's perplexity ` +
          `${formatMeasure(measured.original)} against ${formatMeasure(perplexity)}, is not what ` +
          "this model writes; measure on a text of its kind with --text",
      );
    }
  } else if (isOther) {
    warnings.push(
      `warning: the calibration text is of another language or kind than the measured one, by ` +
        `the original's perplexity ${formatMeasure(perplexity)} against ` +
        `${formatMeasure(measured.original)}; ${cost}`,
    );
  } else if (times > FURTHER && warnings.length === 0) {
    warnings.push(
      `warning: ${cost}: the calibration text is too short or of another kind; give a longer ` +
        "--calibration text of the kind that the model is used for",
    );
  }
  return warnings;
}
