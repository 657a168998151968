/**
 * Compiles the AssemblyScript kernels of hierarchy/, kan/ and eval/:
 *
 *     deno task kernels
 *
 * The outputs are committed, so that nobody else needs the compiler; a test checks that they match.
 *
 * @module
 */
import { compileKernel, KERNELS, moduleFile, readSource } from "./compile_kernels.ts";

for (const kernel of KERNELS) {
  const source = await readSource(kernel);
  const { bytes, module } = await compileKernel(kernel, source);
  await Deno.writeTextFile(moduleFile(kernel), module);
  console.log(`${kernel.folder}/${kernel.name}: ${bytes} bytes`);
}
