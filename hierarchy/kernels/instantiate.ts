/** A running kernel. */
export interface Kernel<Exports> {
  /** Its functions; pointers are byte offsets in `memory`. */
  readonly exports: Exports;
  /** Its memory, which never grows. */
  readonly memory: ArrayBufferLike;
}

const PAGE_BYTES = 1 << 16;

/**
 * Starts a kernel with at least `bytes` of memory, or gives `undefined` where the platform cannot
 * run it: no WebAssembly or no SIMD, compilation forbidden by a content security policy, or no
 * memory left. Callers then use their TypeScript reference, with the same results.
 */
export function instantiateKernel<Exports>(
  base64: string,
  bytes: number,
): Kernel<Exports> | undefined {
  try {
    const wasm = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory } });
    return { exports: instance.exports as Exports, memory: memory.buffer };
  } catch {
    return undefined;
  }
}
