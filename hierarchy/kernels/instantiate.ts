/** A running kernel. */
export interface Kernel<Exports> {
  /** Its functions; pointers are byte offsets in `memory`. */
  readonly exports: Exports;
  /** Its memory, which never grows. */
  readonly memory: ArrayBufferLike;
}

const PAGE_BYTES = 1 << 16;

/**
 * Starts a kernel of one or several modules with at least `bytes` of memory, or gives `undefined` where the platform cannot
 * run it: no WebAssembly or no SIMD, compilation forbidden by a content security policy, or no
 * memory left. The modules are in base64. Callers then use their TypeScript reference, with the same results.
 */
export function instantiateKernel<Exports>(
  modules: readonly string[],
  bytes: number,
): Kernel<Exports> | undefined {
  try {
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const exports = modules.map((base64) => {
      const wasm = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      return new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory } }).exports;
    });
    return { exports: Object.assign({}, ...exports), memory: memory.buffer };
  } catch {
    return undefined;
  }
}
