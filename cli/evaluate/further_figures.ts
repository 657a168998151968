import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { evaluateOriginal, type EvaluationResult } from "../../eval/mod.ts";
import type { FrequencyClass } from "../../eval/measure/frequency_classes.ts";
import { modelParts, withOriginal } from "../../eval/measure/model_parts.ts";
import { formatMeasure, formatShare, formatWithError } from "../../eval/report/number_text.ts";
import type { MeasureOptions } from "../options/measure_options.ts";
import type { Run } from "../terminal/run.ts";
import { formatTable } from "../terminal/text_table.ts";
import { type ComparedModels, type MeasuredText, measureModels } from "./measure.ts";

/** What measuring on a text gave. */
export interface TextFigures {
  /** What the text is called. */
  readonly name: string;
  /** The figures. */
  readonly result: EvaluationResult;
}

/** How far the compressed model is from the original with a part of it as it was. */
export interface PartFigures {
  /** Which part is put back. */
  readonly part: string;
  /** Mean divergence that is left, nats. */
  readonly klDivergence: number;
}

/** Figures beside those of the first text. */
export interface FurtherFigures {
  /** Of every text, the first included, where there are several. */
  readonly texts?: readonly TextFigures[];
  /** Of every part put back, on the first text, where that was asked for. */
  readonly parts?: readonly PartFigures[];
}

/** Measures with each part of the model put back, one after another. */
export async function measureParts(
  models: ComparedModels,
  description: TransformerDescription,
  text: MeasuredText,
  { threads, backend }: Pick<MeasureOptions, "threads" | "backend">,
  run: Run,
): Promise<PartFigures[]> {
  const { config, original, compressed } = models;
  const parts = modelParts(description);
  return await run.phase("parts", async (progress) => {
    const steps = parts.length + 1;
    let done = 0;
    const onProgress = (share: number) => progress((done + share) / steps);
    const { signal } = run;
    const { base } = await evaluateOriginal({
      ...{ config, original, threads, backend, onProgress, signal },
      ...text.evaluation,
    });
    const figures: PartFigures[] = [];
    for (const part of parts) {
      done++;
      const mixed = { config, original, compressed: withOriginal(compressed, original, part) };
      const { klDivergence } = await measureModels(
        mixed,
        text,
        { threads, backend },
        { progress: onProgress, signal },
        { base },
      );
      figures.push({ part: part.name, klDivergence: klDivergence!.mean });
    }
    return figures;
  });
}

/** The fields of JSON that say more than the first text's figures. */
export function furtherFields(
  { klByFrequency }: Pick<EvaluationResult, "klByFrequency">,
  { texts = [], parts }: FurtherFigures,
): Record<string, unknown> {
  return {
    ...(klByFrequency !== undefined && { klByFrequency }),
    ...(parts !== undefined && { parts }),
    ...(texts.length > 1 && { texts: texts.map(textFields) }),
  };
}

function textFields({ name, result }: TextFigures): Record<string, unknown> {
  const { tokens, perplexity, klDivergence, sameTop1, klByFrequency } = result;
  return {
    text: name,
    tokens,
    perplexity,
    ...(klDivergence !== undefined && {
      klDivergence: {
        mean: klDivergence.mean,
        standardError: klDivergence.standardError,
        p999: klDivergence.p999,
      },
    }),
    ...(sameTop1 !== undefined && { sameTop1: sameTop1.share }),
    ...(klByFrequency !== undefined && { klByFrequency }),
  };
}

/** The same for people: nothing where there is no more to say. */
export function furtherLines(
  { klByFrequency = [], klDivergence }: EvaluationResult,
  { texts = [], parts }: FurtherFigures,
): string[] {
  return [
    ...frequencyLines(klByFrequency),
    ...(parts === undefined || klDivergence === undefined
      ? []
      : ["", partsTable(parts, klDivergence.mean)]),
    ...(texts.length > 1 ? ["", textsTable(texts), ""] : []),
  ];
}

/** What the text has that calibration never saw, if that is more than one position in a hundred. */
function frequencyLines(classes: readonly FrequencyClass[]): string[] {
  const unseen = classes.find(({ atLeast }) => atLeast === 0);
  if (unseen === undefined || unseen.share < 0.01) return [];
  const { share, mean, divergenceShare } = unseen;
  return [
    `tokens that calibration never saw: ${formatShare(share)} of the text, with ` +
    `${formatShare(divergenceShare)} of the divergence (mean ${formatMeasure(mean)})`,
  ];
}

function partsTable(parts: readonly PartFigures[], whole: number): string {
  const rows = parts.map(({ part, klDivergence }) => [
    part,
    formatMeasure(klDivergence),
    formatShare(whole > 0 ? 1 - klDivergence / whole : 0),
  ]);
  return formatTable([["as it was", "mean KL", "less"], ...rows], ["left", "right", "right"]);
}

function textsTable(texts: readonly TextFigures[]): string {
  const rows = texts.map(({ name, result }) => {
    const { perplexity, klDivergence, sameTop1 } = result;
    const { original, compressed } = perplexity;
    return [
      name,
      formatMeasure(original),
      compressed === undefined ? "" : formatMeasure(compressed),
      ...(klDivergence === undefined ? ["", "", ""] : [
        formatWithError(klDivergence.mean, klDivergence.standardError),
        formatMeasure(klDivergence.p999),
        formatShare(sameTop1!.share),
      ]),
    ];
  });
  const headings = ["text", "perplexity", "compressed", "mean KL", "99.9 %", "same top 1"];
  return formatTable(
    [headings, ...rows],
    ["left", "right", "right", "right", "right", "right"],
  );
}
