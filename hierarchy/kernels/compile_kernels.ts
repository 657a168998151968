import asc from "assemblyscript/asc";

/** The kernels, by the names of their sources `<name>.as.ts`. */
export const KERNELS = [
  "candidates",
  "factor",
  "feedback",
  "rans",
  "statistics",
  "viterbi",
] as const;

/** What a kernel compiles to. */
export interface CompiledKernel {
  /** The WebAssembly module. */
  readonly wasm: Uint8Array;
  /** A TypeScript module that exports it in base64, which loads wherever TypeScript does. */
  readonly embedded: string;
}

/** Compiles `<name>.as.ts`, whose text is `source`. Throws an Error with the compiler's messages. */
export async function compileKernel(name: string, source: string): Promise<CompiledKernel> {
  const outputs = new Map<string, string | Uint8Array>();
  const options = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--importMemory"];
  const { error, stderr } = await asc.main([`${name}.ts`, ...options, "--outFile", "out.wasm"], {
    readFile: (path) => path === `${name}.ts` ? source : null,
    writeFile: (path, contents) => void outputs.set(path, contents),
    listFiles: () => [],
  });
  const wasm = outputs.get("out.wasm");
  if (error !== null || !(wasm instanceof Uint8Array)) {
    throw new Error(`${name}.as.ts does not compile: ${error?.message}\n${stderr}`);
  }
  return { wasm, embedded: embed(name, wasm) };
}

function embed(name: string, wasm: Uint8Array): string {
  return `// Made from ${name}.as.ts by \`deno task kernels\`.\n\n` +
    `/** ${name}.wasm in base64. */\n` +
    `export const ${name.toUpperCase()}_WASM =\n  "${wasm.toBase64()}";\n`;
}
