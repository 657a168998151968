// Compiles local_splines.as to local_splines_wasm.ts:
//
//   deno run --allow-read --allow-write --allow-env kan/kernels/build.ts

import asc from "assemblyscript/asc";

const OPTIONS = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd"];

/** The WebAssembly module, in base64. */
export async function compileKernels(): Promise<string> {
  const source = await Deno.readTextFile(new URL("local_splines.as", import.meta.url));
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    ["kernel.ts", "--outFile", "kernel.wasm", ...OPTIONS],
    {
      readFile: (name) => name === "kernel.ts" ? source : null,
      writeFile: (name, contents) => {
        if (name === "kernel.wasm") binary = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || binary === undefined) throw new Error(`asc failed: ${error} ${stderr}`);
  return binary.toBase64();
}

if (import.meta.main) {
  const text = await compileKernels();
  await Deno.writeTextFile(
    new URL("local_splines_wasm.ts", import.meta.url),
    `/** local_splines.as compiled by build.ts, in base64. */\nexport const wasm =\n  "${text}";\n`,
  );
}
