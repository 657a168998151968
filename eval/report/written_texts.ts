import { isJsonObject } from "../../data/json_file.ts";
import { InputError } from "../../data/input_error.ts";

/** What models wrote: continuations of a text, or answers in a chat. */
export interface WrittenTexts {
  /** The compressed model, or the only one. */
  readonly model: string;
  /** What they were given. */
  readonly given: readonly { readonly role: string; readonly content: string }[];
  /** What the original wrote. */
  readonly original?: string;
  /** What the compressed model wrote. */
  readonly compressed?: string;
}

/** Whether a value is what `evaluate --prompt --json` or `evaluate --chat --json` prints. */
export function isWritten(value: unknown): value is Readonly<Record<string, unknown>> {
  return isJsonObject(value) && ("continuations" in value || "replies" in value);
}

/** Reads it; throws {@linkcode InputError} that names the place and what is wrong. */
export function parseWritten(
  value: Readonly<Record<string, unknown>>,
  where: string,
): WrittenTexts {
  const { model, prompt, continuations, messages, replies } = value;
  const written = replies ?? continuations;
  const given = replies === undefined ? [{ role: "text", content: prompt }] : messages;
  const isComplete = isJsonObject(written) && Array.isArray(given) &&
    given.every((message) =>
      isJsonObject(message) && typeof message["role"] === "string" &&
      typeof message["content"] === "string"
    );
  if (!isComplete) {
    throw new InputError(
      `${where}: lacks what was said or answered; give what evaluate --chat --json printed`,
    );
  }
  const text = (name: "original" | "compressed") =>
    typeof written[name] === "string" ? { [name]: written[name] } : {};
  return {
    model: typeof model === "string" ? model : "model",
    given: given.map(({ role, content }) => ({ role, content })),
    ...text("original"),
    ...text("compressed"),
  };
}
