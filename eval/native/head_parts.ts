import type { TransformerDescription } from "../architectures/description.ts";
import { type HeadSettings, headValues, scoreGraph } from "./head_graphs.ts";
import type { NativeModel } from "./native_model.ts";
import type { NativeFeeds } from "./part_runner.ts";
import type { NativeSession, NativeTensor } from "./runtime.ts";

/** Outputs of the head from the first to before the second number. */
export interface HeadPart {
  readonly start: number;
  readonly end: number;
}

/**
 * Outputs of a head that are multiplied at once: few enough that their logits stay in the processors'
 * caches.
 */
const partWidth = 2048;

/** The outputs of a head in parts. */
export function headParts({ head: { outputs } }: TransformerDescription): HeadPart[] {
  return Array.from({ length: Math.ceil(outputs / partWidth) }, (_, part) => ({
    start: part * partWidth,
    end: Math.min(outputs, (part + 1) * partWidth),
  }));
}

/** Some rows of a head: `[outputs, inputs]` and, if there are biases, theirs. */
export interface HeadRows {
  readonly weight: Float32Array;
  readonly bias?: Float32Array;
}

/** A part of a head's weights, for the graph's model of this number. */
export async function headFeeds(
  model: NativeModel,
  part: HeadPart,
  index: number,
): Promise<NativeFeeds> {
  const { description: { head: { inputs } }, parts } = model;
  const { weight, bias } = await model.headRows(part);
  const outputs = part.end - part.start;
  const names = { weight: headValues.weight(index), bias: headValues.bias(index) };
  return {
    [names.weight]: parts.weights(names.weight, weight, outputs, inputs),
    ...(bias !== undefined && { [names.bias]: parts.weights(names.bias, bias, outputs) }),
  };
}

/** The session that scores rows by a part of the heads of some models. */
export async function scoreSession(
  { description, parts }: NativeModel,
  { start, end }: HeadPart,
  models: number,
): Promise<NativeSession> {
  const [width, settings] = [end - start, headSettings(description)];
  const key = `score ${models} ${width} ${JSON.stringify(settings)}`;
  return await parts.sessions.get(key, () => scoreGraph(models, width, settings));
}

/** What a model's head is like. */
export function headSettings(
  { head, logitScale, logitSoftCap }: TransformerDescription,
): HeadSettings {
  return { hasBias: head.bias !== undefined, logitScale, logitSoftCap };
}

/** Sum of a row of a matrix of `rows` rows. */
export function sumOfRow({ data }: NativeTensor, row: number, rows: number): number {
  const columns = data.length / rows;
  let sum = 0;
  for (let at = row * columns; at < (row + 1) * columns; at++) sum += Number(data[at]);
  return sum;
}
