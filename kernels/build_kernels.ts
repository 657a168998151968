/**
 * Compiles the AssemblyScript kernels of hierarchy/ and kan/:
 *
 *     deno task kernels
 *
 * The outputs are committed, so that nobody else needs the compiler; a test checks that they match.
 *
 * @module
 */
import { compileKernel, KERNELS, moduleFile, sourceFile } from "./compile_kernels.ts";

for (const kernel of KERNELS) {
  const source = await Deno.readTextFile(sourceFile(kernel));
  const { bytes, module } = await compileKernel(kernel, source);
  await Deno.writeTextFile(moduleFile(kernel), module);
  console.log(`${kernel.folder}/${kernel.name}: ${bytes} bytes`);
}
