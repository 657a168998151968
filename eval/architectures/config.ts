import { InputError } from "../../data/input_error.ts";
import { quoteValue } from "../../data/quote.ts";

/** A model's `config.json`. */
export type ModelConfig = Readonly<Record<string, unknown>>;

function read<T>(
  config: ModelConfig,
  key: string,
  fallback: T | undefined,
  accepts: (value: unknown) => value is T,
  expected: string,
): T {
  const value = config[key] ?? fallback;
  if (value === undefined) throw new InputError(`config.json: ${key} is missing (${expected})`);
  if (accepts(value)) return value;
  throw new InputError(`config.json: ${key} must be ${expected}, found ${quoteValue(value)}`);
}

/** Reads a positive integer; `null` counts as absent, as in Hugging Face configs. */
export function readInteger(config: ModelConfig, key: string, fallback?: number): number {
  const accepts = (value: unknown): value is number =>
    typeof value === "number" && Number.isSafeInteger(value) && value > 0;
  return read(config, key, fallback, accepts, "a positive integer");
}

/** Reads an integer that may be 0, a number of something. */
export function readCount(config: ModelConfig, key: string, fallback?: number): number {
  const accepts = (value: unknown): value is number =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
  return read(config, key, fallback, accepts, "an integer from 0 on");
}

/** Reads a positive finite number. */
export function readNumber(config: ModelConfig, key: string, fallback?: number): number {
  const accepts = (value: unknown): value is number =>
    typeof value === "number" && value > 0 && value < Infinity;
  return read(config, key, fallback, accepts, "a positive number");
}

/** Reads a boolean. */
export function readBoolean(config: ModelConfig, key: string, fallback: boolean): boolean {
  const accepts = (value: unknown): value is boolean => typeof value === "boolean";
  return read(config, key, fallback, accepts, "true or false");
}

/** Reads a string out of a list of those that are supported. */
export function readChoice<T extends string>(
  config: ModelConfig,
  key: string,
  choices: readonly T[],
  fallback?: NoInfer<T>,
): T {
  const accepts = (value: unknown): value is T => choices.includes(value as T);
  return read(config, key, fallback, accepts, `one of ${choices.join(", ")}`);
}

/** Reads an object; an absent one is `undefined`. */
export function readObject(config: ModelConfig, key: string): ModelConfig | undefined {
  const value = config[key] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === "object" && !Array.isArray(value)) return value as ModelConfig;
  throw new InputError(`config.json: ${key} must be an object, found ${quoteValue(value)}`);
}

/** Throws {@linkcode InputError} if a config sets a key to anything but the value that is supported. */
export function requireSetting(
  config: ModelConfig,
  key: string,
  supported: string | number | boolean,
): void {
  const value = config[key] ?? supported;
  if (value === supported) return;
  throw new InputError(
    `config.json: ${key} ${quoteValue(value)} is not supported, only ${quoteValue(supported)}`,
  );
}

/** `total / parts`, which must be a whole number. */
export function divideExactly(total: number, parts: number, what: string): number {
  if (total % parts === 0) return total / parts;
  throw new InputError(`config.json: ${what}: ${total} cannot be divided by ${parts}`);
}
