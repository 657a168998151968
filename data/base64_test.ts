import assert from "node:assert";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { fromBase64, toBase64, toHex } from "./base64.ts";

Deno.test("base64 and hexadecimal digits are those of node:buffer", () => {
  const bytes = fc.oneof(fc.uint8Array(), fc.uint8Array({ minLength: 8190, maxLength: 8200 }));
  fc.assert(fc.property(bytes, (bytes) => {
    const buffer = Buffer.from(bytes);
    assert.equal(toBase64(bytes), buffer.toString("base64"));
    assert.equal(toHex(bytes), buffer.toString("hex"));
    assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
  }));
});
