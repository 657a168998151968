import assert from "node:assert";
import { memorySource } from "./memory_source.ts";
import { encodeSafetensors } from "./safetensors_encode.ts";
import { openSafetensors } from "./safetensors_file.ts";
import { weightsDigest } from "./weights_digest.ts";

function dict(name: string, shape: number[], value: number) {
  return new Map([[name, { dtype: "F32" as const, shape, data: Float32Array.of(0, value) }]]);
}

Deno.test("weightsDigest() sees names, shapes and values", async () => {
  const digests = await Promise.all([
    weightsDigest(dict("a", [2], 1)),
    weightsDigest(dict("b", [2], 1)),
    weightsDigest(dict("a", [1, 2], 1)),
    weightsDigest(dict("a", [2], 2)),
    weightsDigest(dict("a", [2], -0)),
    weightsDigest(new Map([...dict("a", [2], 1), ...dict("b", [2], 1)])),
  ]);
  assert.equal(new Set(digests).size, 6);
  assert.equal(await weightsDigest(dict("a", [2], 1)), digests[0]);
});

Deno.test("the order of tensors and their element type make no difference", async () => {
  const [a, b] = [dict("a", [2], 1), dict("b", [2], -2)];
  const digest = await weightsDigest(new Map([...b, ...a]));
  assert.equal(digest, await weightsDigest(new Map([...a, ...b])));
  // 0, 1 and 0, -2 as f16.
  const file = encodeSafetensors([
    { name: "b", dtype: "F16", shape: [2], bytes: Uint8Array.of(0, 0, 0, 0xc0) },
    { name: "a", dtype: "F16", shape: [2], bytes: Uint8Array.of(0, 0, 0, 0x3c) },
  ]);
  assert.equal(await weightsDigest(await openSafetensors(memorySource(file, "m"))), digest);
});

Deno.test("the digest is what its description says", async () => {
  // Recorded from Python: hashlib, base64, json.dumps without spaces, struct.
  assert.equal(
    await weightsDigest(dict("a", [2], 1)),
    "v6WzVJ8MB2jLgST0T89NCycekZmwmkWxtYA+B1J1dUE=",
  );
});
