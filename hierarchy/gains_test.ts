import assert from "node:assert";
import { InputError } from "../data/input_error.ts";
import { memorySource } from "../data/memory_source.ts";
import type { StateDict } from "../data/tensor.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { codedWeights } from "./coded_weights.ts";
import { HierarchicalCompressor } from "./compressor.ts";
import type { CompressorOptions } from "./compressor_options.ts";
import { containerWeights } from "./container_weights.ts";
import { decodeContainer } from "./decode_container.ts";
import { type Container, encodeContainer, openContainer } from "./file/container.ts";
import {
  gainedTensors,
  gainsOf,
  roundGains,
  roundVerbatim,
  withGains,
  withoutGains,
  withVerbatim,
} from "./gains.ts";

const random = createRandom(2);
const tensor = (...shape: number[]) => ({
  dtype: "F32" as const,
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
});
const embedding = tensor(90, 30);
const weights: StateDict = new Map([
  ["embedding", embedding],
  ["norm", tensor(30)],
  ["plain", tensor(24, 40)],
  ["other", tensor(16, 12)],
  ["head", embedding],
]);
const hessian = Float64Array.from({ length: 900 }, (_, i) => i % 31 === 0 ? 1 + i % 7 : 0.1);
/** With a metric of its inputs, the embedding is coded transposed. */
const metrics = new Map([["embedding", { inputAxis: 1 as const, hessian }]]);

async function compressed(options: CompressorOptions): Promise<Container> {
  const { bytes } = await new HierarchicalCompressor(options).compress(weights, { metrics });
  return await openContainer(memorySource(bytes, "model"));
}

async function written(container: Container): Promise<{ bytes: Uint8Array; read: Container }> {
  const bytes = await encodeContainer(container);
  return { bytes, read: await openContainer(memorySource(bytes, "model")) };
}

const gainStep = 2 ** -6;
const someGains = (rows: number, columns: number) => ({
  rows: Float32Array.from({ length: rows }, () => 1 + 0.2 * random.normal()),
  columns: Float32Array.from({ length: columns }, () => 1 + 0.2 * random.normal()),
});
const gains = new Map([["embedding", someGains(90, 30)], ["plain", someGains(24, 40)]]);

Deno.test("gains multiply rows and columns of what a file decodes to", async () => {
  const container = await compressed({ bits: 8 });
  assert.ok(container.tensors.find(({ name }) => name === "embedding")!.transposed);
  const { read } = await written(withGains(container, gains, gainStep));
  const [before, after] = [await decodeContainer(container), await decodeContainer(read)];
  for (const [name, { data, shape: [, columns] }] of before) {
    const own = gains.get(name === "head" ? "embedding" : name);
    if (own === undefined) {
      assert.deepEqual(after.get(name)!.data, data);
      continue;
    }
    const [rowGains, columnGains] = [own.rows, own.columns].map((g) => roundGains(g, gainStep));
    data.forEach((value, at) => {
      const [row, column] = [Math.floor(at / columns!), at % columns!];
      const expected = value * rowGains![row]! * columnGains![column]!;
      const error = Math.abs(after.get(name)!.data[at]! - expected);
      assert.ok(error <= 1e-6 * Math.abs(expected), `${name} at ${at}`);
    });
  }
  assert.deepEqual(gainsOf(read).get("plain"), {
    rows: roundGains(gains.get("plain")!.rows, gainStep),
    columns: roundGains(gains.get("plain")!.columns, gainStep),
  });
  assert.deepEqual([...gainsOf(read).keys()], ["embedding", "plain"]);
});

Deno.test("every way to read a file with gains gives the same bits", async () => {
  const { read } = await written(withGains(await compressed({ bits: 8 }), gains, gainStep));
  const all = await decodeContainer(read);
  const single = containerWeights(read);
  const coded = codedWeights(read)!;
  for (const name of ["embedding", "plain", "other"]) {
    const { data, shape: [, columns] } = all.get(name)!;
    assert.deepEqual((await single.read(name)).data, data);
    const { integers, factors } = await coded.read(name);
    const products = integers.data.map((value, at) =>
      value * (factors.rows[Math.floor(at / columns!)]! * factors.columns[at % columns!]!)
    );
    assert.deepEqual(products, data);
  }
});

Deno.test("files without gains keep their bytes and their version", async () => {
  const container = await compressed({ bits: 8 });
  const plain = await written(container);
  const gained = withGains(container, gains, gainStep);
  assert.deepEqual((await written(withGains(gained, new Map(), gainStep))).bytes, plain.bytes);
  assert.deepEqual((await written(withoutGains(gained))).bytes, plain.bytes);
  const version = (bytes: Uint8Array) =>
    /"version":"(\d)"/.exec(new TextDecoder().decode(bytes))![1];
  assert.equal(version(plain.bytes), "3");
  const { bytes } = await written(gained);
  assert.equal(version(bytes), "4");
  // 184 gains of which one takes about five bits.
  assert.ok(bytes.length - plain.bytes.length < 300 + 184 * 6 / 8);
});

Deno.test("vectors that are kept verbatim are replaced in their element type", async () => {
  const container = await compressed({ bits: 8 });
  const values = Float32Array.from({ length: 30 }, (_, i) => 1 + i / 7);
  const { read } = await written(withVerbatim(container, new Map([["norm", values]])));
  const { data } = (await decodeContainer(read)).get("norm")!;
  assert.deepEqual(data, roundVerbatim(container, "norm", values));
  assert.ok(data.every((value, i) => Math.abs(value / values[i]! - 1) < 1e-3));
  assert.throws(() => withVerbatim(container, new Map([["plain", values]])), InputError);
});

Deno.test("gains that a file cannot have are refused", async () => {
  const container = await compressed({ bits: 8 });
  assert.deepEqual([...gainedTensors(container)], ["embedding", "plain", "other"]);
  assert.throws(
    () => withGains(container, new Map([["norm", someGains(30, 1)]]), gainStep),
    /no level codes tensor "norm"/,
  );
  const hybrid = await compressed({ preset: "hybrid", bits: 16 });
  assert.throws(() => gainedTensors(hybrid), /only files of the preset rate/);
});

Deno.test("damaged gains are refused by the level's name", async () => {
  const container = withGains(await compressed({ bits: 8 }), gains, gainStep);
  const [[field, trellis]] = container.stages as [
    [Container["stages"][0][0], Container["stages"][0][0]],
  ];
  const refused = async (change: Partial<typeof field>, expected: RegExp) => {
    const bytes = await encodeContainer({
      ...container,
      stages: [[{ ...field, ...change }, trellis]],
    });
    await assert.rejects(openContainer(memorySource(bytes, "model")), expected);
  };
  const { gainStep: _, ...parameters } = field.parameters;
  await refused({ parameters }, /field level: parameter "gainStep" is undefined/);
  await refused({ parameters: { ...parameters, gainStep: 0 } }, /not a positive number/);
  const stream = field.streams.get("gains")!;
  const withStream = (bytes: Uint8Array) => new Map([...field.streams, ["gains", bytes]]);
  await refused(
    { streams: withStream(stream.slice(0, 20)) },
    /stream "gains" does not decode/,
  );
  await refused(
    { streams: withStream(Uint8Array.from([...stream, 0, 0])) },
    /stream "gains" does not decode to its end/,
  );
});
