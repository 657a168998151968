import { InputError } from "../../data/input_error.ts";
import type { DataRecord } from "../../data/records.ts";
import { quoteValue } from "../../data/quote.ts";

/** A record of a data set and where it stands, for messages. */
export interface Entry {
  /** Its fields. */
  readonly record: DataRecord;
  /** Such as `hellaswag.jsonl: record 3`. */
  readonly where: string;
}

/** A field that must be text. */
export function textField({ record, where }: Entry, name: string): string {
  const value = record[name];
  if (typeof value === "string") return value;
  throw fieldError(where, name, "text", value);
}

/** A field that must be a list of texts, at least `least` of them. */
export function textsField({ record, where }: Entry, name: string, least: number): string[] {
  const value = record[name];
  const sound = Array.isArray(value) && value.every((item) => typeof item === "string");
  if (sound && value.length >= least) return value;
  throw fieldError(where, name, `a list of at least ${least} texts`, value);
}

/** A field that must be the number of one of `count` answers, from `first`; digits count too. */
export function answerField(
  { record, where }: Entry,
  name: string,
  count: number,
  first: number = 0,
): number {
  const value = record[name];
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  const isAnswer = typeof number === "number" && Number.isInteger(number) &&
    number >= first && number < first + count;
  if (isAnswer) return number - first;
  throw fieldError(where, name, `a number from ${first} to ${first + count - 1}`, value);
}

/** The error for a field that is missing or something else than expected. */
export function fieldError(
  where: string,
  name: string,
  expected: string,
  value: unknown,
): InputError {
  const found = value === undefined ? "it is missing" : `found ${quoteValue(value)}`;
  return new InputError(`${where}: field ${name} must be ${expected}, but ${found}`);
}
