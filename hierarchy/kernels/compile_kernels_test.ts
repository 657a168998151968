import assert from "node:assert";
import { compileKernel, KERNELS } from "./compile_kernels.ts";

for (const name of KERNELS) {
  Deno.test(`the committed ${name}.wasm is what its source compiles to`, async () => {
    const path = new URL(name, import.meta.url).pathname;
    const compiled = await compileKernel(name, await Deno.readTextFile(`${path}.as.ts`));
    const advice = "run `deno task kernels`";
    assert.deepEqual(await Deno.readFile(`${path}.wasm`), compiled.wasm, advice);
    assert.equal(await Deno.readTextFile(`${path}_wasm.ts`), compiled.embedded, advice);
    // Older versions of Chromium compile no more than this synchronously on a page's main thread.
    assert.ok(compiled.wasm.length <= 4096);
  });
}

Deno.test("compileKernel() passes the compiler's message on", async () => {
  await assert.rejects(
    compileKernel("broken", "export function f(): i32 { return nothing; }"),
    /broken\.as\.ts does not compile[^]*Cannot find name 'nothing'/,
  );
});
