import assert from "node:assert";
import { kernelOrReference } from "./kernel_or_reference.ts";

Deno.test("kernelOrReference() makes a kernel once, and only when it is needed", () => {
  let made = 0;
  const fastest = kernelOrReference(() => ({ name: `kernel ${++made}` }), { name: "reference" });
  assert.equal(made, 0);
  assert.equal(fastest().name, "kernel 1");
  assert.equal(fastest().name, "kernel 1");
  assert.equal(kernelOrReference(() => undefined, { name: "reference" })().name, "reference");
});
