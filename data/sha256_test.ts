import assert from "node:assert";
import { sha256, sha256OfJson } from "./sha256.ts";

Deno.test("sha256() is that of FIPS 180, of views and of shared memory too", async () => {
  const abc = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
  assert.equal(await sha256(new TextEncoder().encode("abc")), abc);
  const shared = new Uint8Array(new SharedArrayBuffer(8)).subarray(3, 6);
  shared.set([97, 98, 99]);
  assert.equal(await sha256(shared), abc);
  assert.equal(await sha256(Float32Array.of(1.5)), await sha256(Uint8Array.of(0, 0, 0xc0, 0x3f)));
  assert.equal(await sha256OfJson({ a: [1] }), await sha256(new TextEncoder().encode('{"a":[1]}')));
});
