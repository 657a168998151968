import assert from "node:assert";
import { ArrivingBytes } from "./arriving_bytes.ts";
import { InputError } from "./input_error.ts";

async function* chunks(...sizes: number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    yield Uint8Array.from({ length: size }, () => at++);
  }
}

Deno.test("bytes are read as soon as they have arrived, in any order", async () => {
  const file = new ArrivingBytes("file", 10);
  const seen: string[] = [];
  const read = async (start: number, end: number) => {
    const bytes = await file.read(start, end);
    seen.push(`${[...bytes]} of ${file.arrived}`);
  };
  const reads = [read(8, 10), read(0, 2), read(3, 3), read(2, 5)];
  await file.fill(chunks(2, 3, 5));
  await Promise.all(reads);
  assert.deepEqual(seen, ["0,1 of 2", " of 5", "2,3,4 of 5", "8,9 of 10"]);
  assert.deepEqual([...await file.read(4, 6)], [4, 5]);
  await assert.rejects(file.read(9, 11), RangeError);
});

Deno.test("a file that ends early, is too long or breaks off fails what waits for it", async () => {
  const cases: [AsyncIterable<Uint8Array>, RegExp][] = [
    [chunks(2, 3), /file: ended after 5 of 6 bytes/],
    [chunks(2, 3, 2), /file: is longer than its 6 bytes/],
  ];
  for (const [source, message] of cases) {
    const file = new ArrivingBytes("file", 6);
    const waiting = assert.rejects(file.read(0, 6), message);
    await assert.rejects(file.fill(source), message);
    await waiting;
    assert.deepEqual([...await file.read(0, 5)], [0, 1, 2, 3, 4]);
    await assert.rejects(file.read(0, 6), message);
  }
  assert.throws(() => new ArrivingBytes("file", 2 ** 52), InputError);
});
