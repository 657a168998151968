import assert from "node:assert";
import * as fc from "fast-check";
import { InputError } from "../input_error.ts";
import { encodeOnnxFiles, encodeOnnxModel, type OnnxGraph } from "./onnx_model.ts";
import { integerField, type Message, packedIntegersField } from "./wire_format.ts";

/** A field's number and what it holds: an integer, four bytes, or bytes of any kind. */
type Field = [number, bigint | Uint8Array];

/** An independent reader of protobuf's encoding. */
function readFields(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const kind = key & 7;
    if (kind === 0) fields.push([key >> 3, varint()]);
    else {
      const length = kind === 2 ? Number(varint()) : 4;
      assert.ok(kind === 2 || kind === 5, `wire type ${kind}`);
      fields.push([key >> 3, bytes.subarray(at, at += length)]);
    }
  }
  assert.equal(at, bytes.length);
  return fields;
}

const join = (parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const ofField = (fields: readonly Field[], number: number) =>
  fields.filter(([field]) => field === number).map(([, value]) => value);
const text = (value: bigint | Uint8Array) => new TextDecoder().decode(value as Uint8Array);
const read = (value: bigint | Uint8Array) => readFields(value as Uint8Array);

const integers = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });

Deno.test("integers are read as they were written", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 20 }), integers, (field, value) => {
    const { parts, byteLength }: Message = integerField(field, value);
    const bytes = join(parts);
    assert.equal(bytes.length, byteLength);
    assert.deepEqual(readFields(bytes), [[field, BigInt(value)]]);
  }));
});

Deno.test("packed integers are as long as the sum of their varints", () => {
  fc.assert(fc.property(fc.array(integers, { maxLength: 8 }), (values) => {
    const [packed] = readFields(join(packedIntegersField(1, values).parts));
    // Each is what a field of its own would hold after its key of one byte.
    const single = values.flatMap((value) => [...join(integerField(1, value).parts).subarray(1)]);
    assert.deepEqual([...(packed![1] as Uint8Array)], single);
  }));
});

const graph: OnnxGraph = {
  inputs: [{ name: "x", type: "int64", shape: ["rows", 3] }],
  outputs: [{ name: "y", type: "float32", shape: [3] }],
  tensors: [
    { name: "w", shape: [2], data: Float32Array.of(0.5, -1) },
    { name: "axis", shape: [], data: BigInt64Array.of(-1n) },
  ],
  nodes: [{
    operator: "Some",
    inputs: ["x", "w"],
    outputs: ["y"],
    attributes: {
      axis: { integer: -1 },
      epsilon: { float: 0.25 },
      perm: { integers: [1, 0] },
      mode: { text: "tanh" },
    },
  }],
};

Deno.test("a model has the fields of onnx.proto", () => {
  const model = readFields(join(encodeOnnxModel(graph)));
  assert.deepEqual(ofField(model, 1), [9n]);
  const [set] = ofField(model, 8).map(read);
  assert.deepEqual(ofField(set!, 2), [20n]);
  const [body] = ofField(model, 7).map(read);
  const [node] = ofField(body!, 1).map(read);
  assert.deepEqual(ofField(node!, 1).map(text), ["x", "w"]);
  assert.deepEqual(ofField(node!, 2).map(text), ["y"]);
  assert.deepEqual(ofField(node!, 4).map(text), ["Some"]);
  const attributes = ofField(node!, 5).map(read);
  assert.deepEqual(attributes.map((each) => text(ofField(each, 1)[0]!)), [
    "axis",
    "epsilon",
    "perm",
    "mode",
  ]);
  assert.deepEqual(attributes.map((each) => ofField(each, 20)[0]), [2n, 1n, 7n, 3n]);
  assert.deepEqual(ofField(attributes[0]!, 3), [-1n]);
  const [input] = ofField(body!, 11).map(read);
  const tensorType = read(ofField(read(ofField(input!, 2)[0]!), 1)[0]!);
  assert.deepEqual(ofField(tensorType, 1), [7n]);
  const axes = ofField(read(ofField(tensorType, 2)[0]!), 1).map(read);
  assert.equal(text(ofField(axes[0]!, 2)[0]!), "rows");
  assert.deepEqual(ofField(axes[1]!, 1), [3n]);
  const tensors = ofField(body!, 5).map(read);
  assert.deepEqual(tensors.map((each) => ofField(each, 2)[0]), [1n, 7n]);
  const raw = ofField(tensors[0]!, 9)[0] as Uint8Array;
  assert.deepEqual(new Float32Array(raw.slice().buffer), Float32Array.of(0.5, -1));
});

Deno.test("large tensors are not copied, and a file beyond protobuf's limit is refused", () => {
  const data = Float32Array.of(1, 2, 3);
  const tensors = [{ name: "w", shape: [3], data }];
  const parts = encodeOnnxModel({ ...graph, tensors });
  assert.ok(parts.some(({ buffer }) => buffer === data.buffer));
  const quarter = new Float32Array(2 ** 27 - 1);
  const large = Array.from({ length: 4 }, (_, i) => ({ name: `${i}`, shape: [], data: quarter }));
  assert.doesNotThrow(() => encodeOnnxModel({ ...graph, tensors: large.slice(1) }));
  const five = [...large, { name: "4", shape: [], data: quarter }];
  assert.throws(() => encodeOnnxModel({ ...graph, tensors: five }), InputError);
});

Deno.test("data beside a model begin where it says, in files no larger than asked for", () => {
  const some = (length: number, first: number) =>
    Float32Array.from({ length }, (_, i) => first + i);
  const tensors = [
    { name: "small", shape: [2], data: Float32Array.of(1, 2) },
    { name: "a", shape: [700], data: some(700, 1) },
    { name: "b", shape: [600], data: some(600, 2) },
    { name: "huge", shape: [4000], data: some(4000, 3) },
    { name: "bytes", shape: [1500], data: new Uint8Array(1500).fill(7) },
    { name: "halves", shape: [900], data: new Uint16Array(900).fill(0x3c00) },
  ];
  const files = encodeOnnxFiles({ ...graph, tensors }, "model.onnx", 10_000);
  const bytes = new Map(Array.from(files, ([name, parts]) => [name, join(parts)]));
  assert.deepEqual([...bytes.keys()], [
    "model.onnx",
    "model.onnx_data",
    "model.onnx_data_1",
    "model.onnx_data_2",
  ]);
  const [body] = ofField(readFields(bytes.get("model.onnx")!), 7).map(read);
  const stored = ofField(body!, 5).map(read);
  assert.deepEqual(stored.map((each) => ofField(each, 2)[0]), [1n, 1n, 1n, 1n, 2n, 10n]);
  stored.forEach((each, i) => {
    const { data } = tensors[i]!;
    const expected = new Uint8Array(data.buffer);
    const [inside] = ofField(each, 9);
    if (i === 0) return assert.deepEqual(inside, expected);
    assert.equal(inside, undefined);
    assert.deepEqual(ofField(each, 14), [1n]);
    const entries = ofField(each, 13).map(read);
    const place = Object.fromEntries(
      entries.map((entry) => [text(ofField(entry, 1)[0]!), text(ofField(entry, 2)[0]!)]),
    );
    const offset = Number(place.offset), length = Number(place.length);
    assert.equal(offset % 4096, 0);
    const found = bytes.get(place.location!)!.subarray(offset, offset + length);
    assert.deepEqual(found.slice(), expected);
  });
  for (const [name, { length }] of bytes) assert.ok(length <= 10_000 || name.endsWith("_1"), name);
  assert.deepEqual([...encodeOnnxFiles(graph, "m").keys()], ["m"]);
});

Deno.test("operators of others say whose they are, and the model which version it needs", () => {
  const [first] = graph.nodes;
  const model = readFields(
    join(encodeOnnxModel({ ...graph, nodes: [{ ...first!, domain: "com.microsoft" }] })),
  );
  const sets = ofField(model, 8).map(read);
  assert.deepEqual(sets.map((set) => text(ofField(set, 1)[0] ?? new Uint8Array())), [
    "",
    "com.microsoft",
  ]);
  const [node] = ofField(read(ofField(model, 7)[0]!), 1).map(read);
  assert.deepEqual(ofField(node!, 7).map(text), ["com.microsoft"]);
});
