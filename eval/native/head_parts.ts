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

/** A part of a head's weights, for the graph's model of this number. */
export function headFeeds(
  { description: { head }, parts }: NativeModel,
  { start, end }: HeadPart,
  model: number,
): NativeFeeds {
  const { weight, bias, inputs } = head;
  // Every architecture stores its head as [outputs, inputs]: a row is an output.
  const rows = parts.values(weight).subarray(start * inputs, end * inputs);
  return {
    [headValues.weight(model)]: parts.weights(headValues.weight(model), rows, end - start, inputs),
    ...(bias !== undefined && {
      [headValues.bias(model)]: parts.weights(
        headValues.bias(model),
        parts.values(bias).subarray(start, end),
        end - start,
      ),
    }),
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
