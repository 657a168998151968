import asc from "assemblyscript/asc";

/** A kernel in AssemblyScript. */
export interface KernelSource {
  /** Its folder; the source is `<name>.as.ts` there. */
  readonly folder: string;
  /** Its name. */
  readonly name: string;
  /** Whether it runs in memory that it is given, which kernels can share, or makes its own. */
  readonly importsMemory: boolean;
}

const inHierarchy = (name: string): KernelSource => {
  return { folder: "hierarchy/kernels", name, importsMemory: true };
};

/** All kernels. */
export const KERNELS: readonly KernelSource[] = [
  ...["candidates", "factor", "feedback", "rans", "statistics", "viterbi"].map(inHierarchy),
  { folder: "kan/kernels", name: "local_splines", importsMemory: false },
];

/** The address of one of a kernel's files. */
export function kernelFile({ folder, name }: KernelSource, ending: string): URL {
  return new URL(`../${folder}/${name}${ending}`, import.meta.url);
}

/**
 * Compiles a kernel whose text is `source` to a TypeScript module that exports it in base64, which
 * loads wherever TypeScript does. Throws an Error with the compiler's messages.
 */
export async function compileKernel(
  { name, importsMemory }: Omit<KernelSource, "folder">,
  source: string,
): Promise<{ readonly bytes: number; readonly module: string }> {
  const outputs = new Map<string, string | Uint8Array>();
  const options = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd"];
  if (importsMemory) options.push("--importMemory");
  const { error, stderr } = await asc.main([`${name}.ts`, ...options, "--outFile", "out.wasm"], {
    readFile: (path) => path === `${name}.ts` ? source : null,
    writeFile: (path, contents) => void outputs.set(path, contents),
    listFiles: () => [],
  });
  const wasm = outputs.get("out.wasm");
  if (error !== null || !(wasm instanceof Uint8Array)) {
    throw new Error(`${name}.as.ts does not compile: ${error?.message}\n${stderr}`);
  }
  const module = `// Made from ${name}.as.ts by \`deno task kernels\`.\n\n` +
    `/** The WebAssembly of ${name}.as.ts in base64. */\n` +
    `export const ${name.toUpperCase()}_WASM =\n  "${wasm.toBase64()}";\n`;
  return { bytes: wasm.length, module };
}
