import { errorLine } from "./printable.ts";

/**
 * Something that the user gave (a file, a model, a text, an option) cannot be used. The message is
 * one line, names the file and tensor at fault, and says what to do; the command line prints it
 * without a stack trace and exits with status 1.
 *
 * ```ts
 * import { InputError } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const error = new InputError("model.safetensors: truncated; download it again");
 * assert.equal(error.name, "InputError");
 * ```
 */
export class InputError extends Error {
  /** Always `"InputError"`, also in errors that crossed a worker boundary. */
  override readonly name = "InputError";

  /** `message` may hold anything: it becomes one line of at most 4,000 printable characters. */
  constructor(message: string, options?: ErrorOptions) {
    super(errorLine(message), options);
  }
}
