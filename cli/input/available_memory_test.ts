import assert from "node:assert";
import { availableMemory } from "./available_memory.ts";

Deno.test("some memory is available, and not more than there is", () => {
  const available = availableMemory();
  assert.ok(available !== undefined && available > 1e6);
  assert.ok(available <= Deno.systemMemoryInfo().total);
});

Deno.test({
  name: "nothing is known of the memory where the system may not be asked",
  permissions: { sys: false },
  fn: () => assert.equal(availableMemory(), undefined),
});
