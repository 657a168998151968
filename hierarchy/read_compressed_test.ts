import assert from "node:assert";
import { readAll } from "../data/byte_source.ts";
import { readCompressed } from "./read_compressed.ts";

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * 7);

Deno.test("a stream gives what its chunks hold, however they are cut", async () => {
  const stream = ReadableStream.from([
    bytes.subarray(0, 1),
    bytes.subarray(1, 700),
    bytes.subarray(700),
  ]);
  assert.deepEqual(await readAll(await readCompressed(stream)), bytes);
  assert.deepEqual(await readAll(await readCompressed(bytes)), bytes);
});

Deno.test("a stream that breaks off, or is not waited for any longer, fails with the reason", async () => {
  const broken = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new TypeError("connection lost")),
  });
  await assert.rejects(readCompressed(broken), /connection lost/);
  const stop = new AbortController();
  let cancelled: unknown;
  const endless = new ReadableStream<Uint8Array>({ cancel: (reason) => void (cancelled = reason) });
  const reading = readCompressed(endless, stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(reading, /enough/);
  assert.match(String(cancelled), /enough/);
});
