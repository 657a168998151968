/**
 * Compiles the AssemblyScript kernels of hierarchy/ and kan/:
 *
 *     deno task kernels
 *
 * The outputs are committed, so that nobody else needs the compiler; a test checks that they match.
 *
 * @module
 */
import { compileKernel, kernelFile, KERNELS } from "./compile_kernels.ts";

for (const kernel of KERNELS) {
  const source = await Deno.readTextFile(kernelFile(kernel, ".as.ts"));
  const { bytes, module } = await compileKernel(kernel, source);
  await Deno.writeTextFile(kernelFile(kernel, "_wasm.ts"), module);
  console.log(`${kernel.folder}/${kernel.name}: ${bytes} bytes`);
}
