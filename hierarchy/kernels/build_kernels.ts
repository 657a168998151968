/**
 * Compiles the AssemblyScript kernels of this folder:
 *
 *     deno task kernels
 *
 * The outputs are committed, so that nobody else needs the compiler; a test checks that they match.
 *
 * @module
 */
import { compileKernel, KERNELS } from "./compile_kernels.ts";

for (const name of KERNELS) {
  const path = new URL(name, import.meta.url).pathname;
  const { wasm, embedded } = await compileKernel(name, await Deno.readTextFile(`${path}.as.ts`));
  await Deno.writeFile(`${path}.wasm`, wasm);
  await Deno.writeTextFile(`${path}_wasm.ts`, embedded);
  console.log(`${name}.wasm: ${wasm.length} bytes`);
}
