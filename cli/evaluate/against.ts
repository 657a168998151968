import { isJsonObject, readJsonObject } from "../../data/json_file.ts";
import { InputError, openFile } from "../../data/mod.ts";
import { printableLine } from "../../data/printable.ts";
import {
  compareRuns,
  type RunComparison,
  type RunFigures,
} from "../../eval/measure/compare_runs.ts";
import type { ChunkMeans, EvaluationResult } from "../../eval/mod.ts";
import { formatWithError } from "../../eval/report/number_text.ts";
import { naming } from "../terminal/errors.ts";

/** An earlier run and how this one differs from it. */
export interface Against extends RunComparison {
  /** The file that the earlier run was read from. */
  readonly file: string;
  /** The model that the earlier run measured. */
  readonly model: string;
}

/** An earlier run of `evaluate --json`. */
export interface EarlierRun extends RunFigures {
  /** The file that it was read from. */
  readonly file: string;
  /** Name of its model. */
  readonly model: string;
}

/** Reads what `evaluate --json` printed; throws {@linkcode InputError} if it is something else. */
export async function readEarlierRun(file: string): Promise<EarlierRun> {
  return parseEarlierRun(await readJsonObject(await openFile(file)), file);
}

/** As {@linkcode readEarlierRun}, of a JSON value. */
export function parseEarlierRun(
  { model, fingerprint, chunkMeans }: Readonly<Record<string, unknown>>,
  file: string,
): EarlierRun {
  if (typeof model === "string" && typeof fingerprint === "string" && isChunkMeans(chunkMeans)) {
    const { original, compressed = [], klDivergence = [] } = chunkMeans;
    if ([...original, ...compressed, ...klDivergence].every(Number.isFinite)) {
      return { file, model, fingerprint, chunkMeans };
    }
    throw new InputError(
      `${file}: its run has losses that are not finite, with which nothing can be compared; ` +
        "give the output of another",
    );
  }
  throw new InputError(
    `${file}: is not the output of evaluate --json; write one with evaluate --json`,
  );
}

/** Whether a value has the form of chunk means; what was not finite is null in JSON. */
function isChunkMeans(value: unknown): value is ChunkMeans {
  if (!isJsonObject(value)) return false;
  const { tokens, original, compressed = original, klDivergence = original } = value;
  const length = Array.isArray(tokens) ? tokens.length : 0;
  return length > 0 &&
    [tokens, original, compressed, klDivergence].every((list) =>
      Array.isArray(list) && list.length === length &&
      list.every((mean) => mean === null || Number.isFinite(mean))
    );
}

/** Compares a result with an earlier run. */
export function compareWith(earlier: EarlierRun, result: EvaluationResult): Against {
  const { file, model } = earlier;
  return { file, model, ...naming(file, () => compareRuns(earlier, result)) };
}

/** The comparison for people. */
export function againstText({ file, model, perplexityRatio, klDivergenceChange }: Against): string {
  const ratio = formatWithError(perplexityRatio.value, perplexityRatio.standardError);
  const lines = [
    `against ${printableLine(model)} in ${printableLine(file)}:`,
    `  perplexity ${ratio} times as high`,
  ];
  if (klDivergenceChange !== undefined) {
    const { value, standardError } = klDivergenceChange;
    lines.push(`  mean KL divergence changed by ${formatWithError(value, standardError)} nats`);
  }
  return lines.join("\n");
}
