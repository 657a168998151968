import { InputError } from "./input_error.ts";

/** How engines say that there is no memory, and not that a length is wrong. */
const NO_MEMORY = /allocation failed|could not allocate|unable to grow|out of memory/i;

/**
 * Whether an error says that memory has run out: of any engine, also from another thread.
 *
 * ```ts
 * import { isOutOfMemory } from "./out_of_memory.ts";
 * import assert from "node:assert";
 *
 * assert.throws(() => new ArrayBuffer(2 ** 52), isOutOfMemory);
 * assert.ok(!isOutOfMemory(new RangeError("Invalid array length")));
 * ```
 */
export function isOutOfMemory(error: unknown): boolean {
  if (error instanceof OutOfMemoryError) return true;
  const { name, message } = error as { readonly name?: unknown; readonly message?: unknown };
  // A message to another thread that cannot be copied is a DataCloneError in all cases.
  if (name !== "RangeError" && name !== "DataCloneError") return false;
  return typeof message === "string" && NO_MEMORY.test(message);
}

/** What to do where memory has run out, for messages. */
export const MEMORY_ADVICE =
  "memory has run out; close other programs, or use fewer threads or a smaller model";

/** Memory has run out, and a message that says so and what to do. */
export class OutOfMemoryError extends InputError {}
