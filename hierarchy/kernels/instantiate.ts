import { fromBase64 } from "../../data/base64.ts";

/** A running kernel. */
export interface Kernel<Exports> {
  /** Its functions; pointers are byte offsets in `memory`. */
  readonly exports: Exports;
  /** Its memory. */
  readonly memory: WebAssembly.Memory;
}

/** Memory grows by whole pages. */
export const PAGE_BYTES = 1 << 16;

/**
 * Starts a kernel of one or several modules, in base64, with at least `bytes` of memory that can grow to
 * `mostBytes`. Gives `undefined` if the platform cannot run it: no WebAssembly or no SIMD,
 * compilation forbidden by a content security policy, or no memory left. Callers then use their
 * TypeScript reference, with the same results.
 */
export function instantiateKernel<Exports>(
  modules: readonly string[],
  bytes: number,
  mostBytes: number = bytes,
): Kernel<Exports> | undefined {
  try {
    const [initial, maximum] = [bytes, mostBytes].map((size) => Math.ceil(size / PAGE_BYTES));
    const memory = new WebAssembly.Memory({ initial: initial!, maximum: maximum! });
    const exports = modules.map((base64) => {
      const module = new WebAssembly.Module(fromBase64(base64));
      return new WebAssembly.Instance(module, { env: { memory } }).exports;
    });
    return { exports: Object.assign({}, ...exports), memory };
  } catch {
    return undefined;
  }
}
