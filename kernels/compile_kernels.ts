import asc from "assemblyscript/asc";

/** A kernel in AssemblyScript. */
export interface KernelSource {
  /** Its folder. */
  readonly folder: string;
  /** Its name. */
  readonly name: string;
  /** The source is `<source>.as.ts` there. */
  readonly source: string;
  /** Other sources that are put before it, by their paths from the folder. */
  readonly after?: readonly string[];
  /** What the type Float means in the source; undefined if it has none. */
  readonly float?: "f32" | "f64";
  /** Whether it runs in memory that it is given, which kernels can share, or makes its own. */
  readonly importsMemory: boolean;
  /** Whether it uses relaxed SIMD, whose results depend on the machine. */
  readonly relaxed?: boolean;
  /** Most pages of the memory that it is given; it must be said of memory that threads share. */
  readonly mostPages?: number;
}

const inHierarchy = (name: string): KernelSource => {
  return { folder: "hierarchy/kernels", name, source: name, importsMemory: true };
};

const edges = (float: "f32" | "f64"): KernelSource => {
  return {
    folder: "kan/kernels",
    name: `edges_${float}`,
    source: "edges",
    float,
    importsMemory: false,
  };
};

const inEval = (folder: string, name: string, ...after: readonly string[]): KernelSource => {
  const common = { folder: `eval/${folder}`, name, source: name, importsMemory: true };
  return { ...common, mostPages: 1 << 16, after };
};

const LAYERS = ["activation", "exponential", "product", "attention", "scores", "drawing", "rows"];

/** All kernels. */
export const KERNELS: readonly KernelSource[] = [
  ...["candidates", "factor", "feedback", "rans", "statistics", "viterbi"].map(inHierarchy),
  inEval("kernels", "layers", "multiply_add", ...LAYERS),
  {
    ...inEval("kernels", "layers", "relaxed_multiply_add", ...LAYERS),
    ...{ name: "relaxed_layers", relaxed: true },
  },
  inEval("wasm", "attention", "../kernels/activation"),
  inEval("wasm", "bytes", "output"),
  inEval("wasm", "floats", "output"),
  inEval("wasm", "vectors"),
  edges("f32"),
  edges("f64"),
];

/** A kernel's source, which others may share, after what stands before it. */
export async function readSource({ folder, source, after = [] }: KernelSource): Promise<string> {
  const texts = [...after, source].map((name) =>
    Deno.readTextFile(new URL(`../${folder}/${name}.as.ts`, import.meta.url))
  );
  return (await Promise.all(texts)).join("\n");
}

/** The address of a kernel's compiled module. */
export function moduleFile({ folder, name }: KernelSource): URL {
  return new URL(`../${folder}/${name}_wasm.ts`, import.meta.url);
}

/**
 * Compiles a kernel whose source is `text` to a TypeScript module that exports it in base64, which
 * loads wherever TypeScript does. Throws an Error with the compiler's messages.
 */
export async function compileKernel(
  { name, source, float, importsMemory, relaxed = false, mostPages }: Omit<KernelSource, "folder">,
  text: string,
): Promise<{ readonly bytes: number; readonly module: string }> {
  const outputs = new Map<string, string | Uint8Array>();
  const options = ["-O3", "--noAssert", "--runtime", "stub", "--enable"];
  options.push(relaxed ? "simd,relaxed-simd" : "simd");
  const whole = float === undefined ? text : `type Float = ${float};\n${text}`;
  if (importsMemory) options.push("--importMemory");
  if (mostPages !== undefined) options.push("--maximumMemory", String(mostPages));
  const { error, stderr } = await asc.main([`${name}.ts`, ...options, "--outFile", "out.wasm"], {
    readFile: (path) => path === `${name}.ts` ? whole : null,
    writeFile: (path, contents) => void outputs.set(path, contents),
    listFiles: () => [],
  });
  const wasm = outputs.get("out.wasm");
  if (error !== null || !(wasm instanceof Uint8Array)) {
    throw new Error(`${source}.as.ts does not compile: ${error?.message}\n${stderr}`);
  }
  const from = float === undefined ? `${source}.as.ts` : `${source}.as.ts with ${float}`;
  const module = `// Made from ${from} by \`deno task kernels\`.\n\n` +
    `/** The WebAssembly of ${from} in base64. */\n` +
    `export const ${name.toUpperCase()}_WASM =\n  "${wasm.toBase64()}";\n`;
  return { bytes: wasm.length, module };
}
