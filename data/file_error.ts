import { InputError } from "./input_error.ts";

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "does not exist; check the path"],
  ["ENOTDIR", "does not exist (part of the path is a file); check the path"],
  ["EEXIST", "is a file, where a folder was expected; name another place"],
  ["EISDIR", "is a folder, where a file was expected; name a file in it"],
  ["EACCES", "permission denied; change its permissions or run as its owner"],
  ["EPERM", "not permitted; change its permissions or run as its owner"],
  ["EROFS", "is on a read-only file system; choose another folder"],
  ["ENOSPC", "no space left on the disk; free some or choose another folder"],
  ["EDQUOT", "the disk quota is used up; free some space or choose another folder"],
  ["EFBIG", "larger than the system allows a file to be; choose another folder"],
  ["EIO", "the disk reports a read or write error; check the disk"],
  ["EMFILE", "too many files are open; raise the limit (ulimit -n)"],
  ["ENAMETOOLONG", "the name is too long; choose a shorter one"],
  ["ELOOP", "its symbolic links lead in a circle; repair them"],
]);

/** The system's error code of a failed file operation, such as `"ENOENT"`; empty where unknown. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  // Deno gives some errors a number only, such as EFBIG.
  const number = Number(/\(os error (\d+)\)/.exec(error.message)?.[1]);
  if (Number.isNaN(number)) return "";
  // Not imported: what only reads files has to load in browsers too.
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: "os"): typeof import("node:os") };
  };
  const { errno } = process.getBuiltinModule("os").constants;
  return Object.entries(errno).find(([, value]) => value === number)?.[0] ?? "";
}

/**
 * The {@linkcode InputError} for a file operation that failed: names the path and says what to do.
 * Errors that are {@linkcode InputError}s already, and aborts, come back as they are.
 */
export function fileError(path: string, error: unknown): Error {
  if (error instanceof InputError) return error;
  if (error instanceof Error && error.name === "AbortError") return error;
  const reason = reasons.get(errorCode(error));
  if (reason !== undefined) return new InputError(`${path}: ${reason}`, { cause: error });
  if (error instanceof Error && error.name === "NotCapable") {
    return new InputError(
      `${path}: Deno may not touch it; choose another place, or give Deno the permission`,
      { cause: error },
    );
  }
  const detail = error instanceof Error ? error.message : String(error);
  return new InputError(`${path}: ${detail.replaceAll(/\s+/g, " ")}`, { cause: error });
}
