import assert from "node:assert";
import { join } from "node:path";
import { compressionWarnings, nextCommand } from "./next_steps.ts";

const sizes = { originalBytes: 2000, compressedBytes: 500, bitsPerWeight: 2 };
const out = join("compressed", "m-rate-2bit", "model.kan.safetensors");
const measured = (share: number) => ({ sameTop1: { share, standardError: 0.01 } });

Deno.test("a sound compression has no warnings", () => {
  assert.deepEqual(compressionWarnings({ sizes, out }), []);
  assert.deepEqual(compressionWarnings({ sizes, out, result: measured(0.9) }), []);
});

Deno.test("lost ability and a file that has grown are told of with what helps", () => {
  const [lost] = compressionWarnings({ sizes, out, result: measured(0.3) });
  assert.match(lost!, /lost; to keep more, try --bits 2\.6$/);
  const [coarse] = compressionWarnings({ sizes, out, result: measured(0.3), dataFree: true });
  assert.match(coarse!, /lost; to keep more, leave --data-free out$/);
  const [grown] = compressionWarnings({ sizes: { ...sizes, compressedBytes: 2000 }, out });
  assert.match(grown!, /no smaller than the original; give fewer --bits/);
});

Deno.test("the next command lets the model write, or shows one that was not measured", () => {
  const folder = join("compressed", "m-rate-2bit");
  assert.equal(
    nextCommand("deno task", { sizes, out, result: measured(0.9) }),
    `deno task evaluate ${folder} --prompt 'Once upon a time'`,
  );
  assert.equal(
    nextCommand("kanpress", { sizes, out: "a.kan.safetensors" }),
    "kanpress inspect a.kan.safetensors",
  );
});
