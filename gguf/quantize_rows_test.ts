import assert from "node:assert";
import fc from "fast-check";
import { GGUF_TYPES } from "../baselines/gguf.ts";
import { dequantize } from "../data/gguf/dequantize.ts";
import { ggmlType } from "../data/gguf/types.ts";
import { quantizeHere, quantizeRows } from "./quantize_rows.ts";
import { QuantizeWorkers } from "./quantize_workers.ts";
import recorded from "./testdata/quantized.json" with { type: "json" };

const floats = (hex: string) => new Float32Array(Uint8Array.fromHex(hex).buffer);

/** Values of many magnitudes, with zeros and outliers. */
const oddValues = (length: number) =>
  fc.array(
    fc.oneof(
      fc.float({ min: -4, max: 4, noNaN: true }),
      fc.float({ min: Math.fround(-1e-3), max: Math.fround(1e-3), noNaN: true }),
      fc.constantFrom(0, 1, -1, 100),
    ),
    { minLength: length, maxLength: length },
  ).map((values) => Float32Array.from(values));

for (const [name, hex] of Object.entries(recorded.quantized)) {
  Deno.test(`${name}: the bytes are those of PyPI's gguf`, () => {
    const bytes = quantizeRows(ggmlType(name), floats(recorded.values));
    assert.equal(bytes.toHex(), hex);
  });
}

for (const name of ["Q4_K", "Q6_K"]) {
  Deno.test(`${name}: readers see the reconstruction of the baseline`, () => {
    fc.assert(
      fc.property(oddValues(512), (values) => {
        const type = ggmlType(name);
        const read = dequantize(type, quantizeRows(type, values));
        const weights = { name: "w", rows: 2, columns: 256, data: values };
        const { reconstruction } = GGUF_TYPES.get(name.toLowerCase())!(weights);
        assert.deepEqual(Array.from(read, (x) => x + 0), Array.from(reconstruction, (x) => x + 0));
      }),
      { numRuns: 30 },
    );
  });
}

Deno.test("every type keeps values within half a step of its largest", () => {
  const steps = { Q8_0: 127, Q5_0: 15, Q4_0: 7, Q6_K: 31, Q4_K: 7 };
  fc.assert(
    fc.property(oddValues(256), (values) => {
      for (const [name, count] of Object.entries(steps)) {
        const type = ggmlType(name);
        const read = dequantize(type, quantizeRows(type, values));
        const largest = Math.max(...values.map(Math.abs));
        // Fits by weighted squares may let a value go further than rounding would.
        const most = largest / count * (name.endsWith("K") ? 2 : 1) + 1e-7;
        assert.ok(values.every((value, i) => Math.abs(value - read[i]!) <= most), name);
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("what cannot be written is refused", () => {
  assert.throws(() => quantizeRows(ggmlType("Q2_K"), new Float32Array(256)), RangeError);
  assert.throws(() => quantizeRows(ggmlType("Q8_0"), new Float32Array(33)), RangeError);
});

Deno.test("workers give the bytes of one thread, and a signal ends them", async () => {
  const values = Float32Array.from({ length: 3 * 65536 + 512 }, (_, i) => Math.sin(i * i));
  const joined = async (chunks: AsyncIterable<Uint8Array>) => {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  };
  using workers = new QuantizeWorkers(2);
  for (const name of ["Q4_K", "Q6_K", "Q8_0"]) {
    const type = ggmlType(name);
    const whole = quantizeRows(type, values);
    assert.deepEqual(await joined(workers.quantize(type, values)), whole);
    assert.deepEqual(await joined(quantizeHere(type, values)), whole);
  }
  const stop = new AbortController();
  using stopped = new QuantizeWorkers(2, stop.signal);
  const work = joined(stopped.quantize(ggmlType("Q4_K"), values));
  stop.abort(new Error("enough"));
  await assert.rejects(work, /enough/);
});
