import { InputError } from "./input_error.ts";

/**
 * Puts the name of a file or model before messages of `work` that do not begin with it, whether it
 * throws them or its promise is rejected.
 *
 * ```ts
 * import { InputError } from "@kanpress/kanpress/data";
 * import { naming } from "./naming.ts";
 * import assert from "node:assert";
 *
 * const work = () => naming("a.json", () => {
 *   throw new InputError("is empty");
 * });
 * assert.throws(work, /^InputError: a\.json: is empty$/);
 * assert.throws(() => naming("a.json", work), /^InputError: a\.json: is empty$/);
 * ```
 */
export function naming<T>(name: string, work: () => T): T {
  const rename = (error: unknown): never => {
    if (!(error instanceof InputError) || error.message.startsWith(`${name}: `)) throw error;
    throw new InputError(`${name}: ${error.message}`, { cause: error });
  };
  try {
    const result = work();
    return result instanceof Promise ? result.catch(rename) as T : result;
  } catch (error) {
    return rename(error);
  }
}
