import assert from "node:assert";
import { compileKernel, KERNELS, moduleFile, readSource } from "./compile_kernels.ts";

for (const kernel of KERNELS) {
  Deno.test(`the committed module of ${kernel.name} is what its source compiles to`, async () => {
    const source = await readSource(kernel);
    const { bytes, module } = await compileKernel(kernel, source);
    const committed = await Deno.readTextFile(moduleFile(kernel));
    assert.equal(committed, module, "run `deno task kernels`");
    // Older versions of Chromium compile no more than this synchronously on a page's main thread; tfjs
    // does without the kernels of layers there.
    assert.ok(bytes <= (kernel.source === "layers" ? 2 ** 14 : 4096));
  });
}

Deno.test("compileKernel() passes the compiler's message on", async () => {
  await assert.rejects(
    compileKernel(
      { name: "broken", source: "broken", importsMemory: true },
      "export function f(): i32 { return nothing; }",
    ),
    /broken\.as\.ts does not compile[^]*Cannot find name 'nothing'/,
  );
});
