import type { TransformerDescription } from "../architectures/description.ts";
import { type HeadSettings, headValues, scoreGraph } from "./head_graphs.ts";
import type { HeadPart } from "./head_parts.ts";
import type { NativeModel } from "./native_model.ts";
import type { NativeFeeds } from "./part_runner.ts";
import type { NativeSession, NativeTensor } from "./runtime.ts";

/** A part of a head's weights, for the graph's model of this number. */
export async function headFeeds(
  model: NativeModel,
  part: HeadPart,
  index: number,
): Promise<NativeFeeds> {
  const { description: { head: { weight, bias, inputs } }, parts } = model;
  const { start, end } = part;
  const outputs = end - start;
  const names = { weight: headValues.weight(index), bias: headValues.bias(index) };
  const rows = await model.readHeadRows(part);
  if (rows !== undefined) {
    return {
      [names.weight]: parts.weights(names.weight, rows.weight, outputs, inputs),
      ...(rows.bias && { [names.bias]: parts.weights(names.bias, rows.bias, outputs) }),
    };
  }
  // Every architecture stores it as `[outputs, inputs]`: a row is an output.
  return {
    [names.weight]: parts.weightsFrom(names.weight, weight, start * inputs, outputs, inputs),
    ...(bias !== undefined && {
      [names.bias]: parts.weightsFrom(names.bias, bias, start, outputs),
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
