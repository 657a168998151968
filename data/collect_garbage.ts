/** What Deno and Node have for it. They are not imported, for browsers read this file too. */
interface Builtins {
  getBuiltinModule(name: "v8"): typeof import("node:v8");
  getBuiltinModule(name: "vm"): typeof import("node:vm");
  memoryUsage: { rss(): number };
}

/** A process of fewer bytes has little that would be worth the time. */
const WORTHWHILE = 3e8;

let collect: (() => void) | undefined;

/**
 * Gives memory back that nothing refers to any more, where a process holds much: arrays lie outside the
 * heap, so that the garbage collector sees little that would make it hurry. Takes some hundredths of a
 * second. Does nothing in browsers.
 */
export function collectGarbage(): void {
  const { process } = globalThis as unknown as { readonly process?: Partial<Builtins> };
  if (process?.getBuiltinModule === undefined || process.memoryUsage === undefined) return;
  if (process.memoryUsage.rss() < WORTHWHILE) return;
  collect ??= collector(process as Builtins);
  collect();
}

/** The engine's own function, which it shows to new contexts when it is asked to. */
function collector(process: Builtins): () => void {
  try {
    process.getBuiltinModule("v8").setFlagsFromString("--expose-gc");
    const found: unknown = process.getBuiltinModule("vm").runInNewContext("gc");
    if (typeof found === "function") return () => void found();
  } catch {
    // An engine that cannot is left to itself.
  }
  return () => {};
}
