import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import assert from "node:assert";
import fc from "fast-check";
import { createGaussians } from "../bases/global_bases.ts";
import { evaluateKan, samplesFrom } from "../engine/evaluate.ts";
import { updateGrids } from "../fitting/grid_update.ts";
import { Kan } from "../layers/kan.ts";
import { createKanModel, type KanModel, parametersOf } from "./model.ts";
import { removeEdge } from "../pruning/prune.ts";
import { createRandom } from "../numeric/random.ts";
import { decodeKan, encodeKan } from "./serialize.ts";
import { fixSymbolic } from "../symbolic/suggest.ts";

const inputs = samplesFrom([[0.1, -0.3], [0.7, 0.2], [-0.9, 0.5], [0.3, 0.3]]);

function createRichModel(): KanModel {
  const widths = [2, { sums: 2, products: [2] }, 1] as const;
  const model = updateGrids(createKanModel({ widths, random: createRandom(1) }), inputs);
  const fixed = fixSymbolic(model, inputs, { layer: 0, input: 1, output: 2 }, "sin");
  const also = fixSymbolic(fixed, inputs, { layer: 0, input: 0, output: 0 }, "x^2");
  return removeEdge(also, inputs, { layer: 1, input: 1, output: 0 });
}

/** Everything of a model that is data. */
function dataOf(model: KanModel) {
  return model.layers.map(({ bases, ...layer }) => {
    return { ...layer, bases: bases.map(({ description }) => description) };
  });
}

Deno.test("a model comes back exactly, whatever has been done to it", () => {
  const plain = createKanModel({ widths: [2, 1], random: createRandom(2), splineScale: false });
  const basis = createGaussians({ width: 0.1 + 0.2 });
  const gaussian = createKanModel({ widths: [2, 1], basis, base: "none", random: createRandom(2) });
  for (const model of [createRichModel(), plain, gaussian]) {
    const bytes = encodeKan(model);
    const copy = decodeKan(bytes);
    assert.deepEqual(dataOf(copy), dataOf(model));
    assert.deepEqual(evaluateKan(copy, inputs), evaluateKan(model, inputs));
    assert.deepEqual(encodeKan(copy), bytes);
  }
});

Deno.test("a decoded model is independent of the bytes", () => {
  const bytes = encodeKan(createRichModel());
  const model = decodeKan(bytes);
  const before = parametersOf(model);
  bytes.fill(0);
  assert.deepEqual(parametersOf(model), before);
});

Deno.test("the file is laid out as the safetensors format says, with aligned numbers", () => {
  const model = createRichModel();
  const bytes = encodeKan(model);
  const view = new DataView(bytes.buffer);
  const start = 8 + Number(view.getBigUint64(0, true));
  assert.equal(start % 8, 0);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  const { dtype, shape, data_offsets: [from, to] } = header["layers.1.coefficients"];
  assert.deepEqual([dtype, shape, from % 8], ["F64", [3, 6, 1], 0]);
  assert.equal(to - from, 8 * 18);
  assert.equal(view.getFloat64(start + from, true), model.layers[1]!.coefficients[0]);
  assert.equal(header["layers.0.mask"].data_offsets[1] + start <= bytes.length, true);
});

Deno.test("a model trained on one backend works on another", async () => {
  const model = createRichModel();
  const outputs: Float32Array[] = [];
  for (const backend of ["cpu", "wasm"]) {
    await tf.setBackend(backend);
    const kan = Kan.fromModel(decodeKan(encodeKan(model)));
    const x = tf.tensor2d(Float32Array.from(inputs.data), [4, 2]);
    outputs.push(kan.apply(x).dataSync() as Float32Array);
    const back = await kan.toModel();
    assert.deepEqual(back.layers[0]!.symbolic.keys().toArray(), [0, 6]);
    kan.dispose();
  }
  const expected = evaluateKan(model, inputs).data;
  for (const each of outputs) {
    each.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-5));
  }
});

Deno.test("damaged files are refused in one line", () => {
  const bytes = encodeKan(createRichModel());
  assert.throws(() => decodeKan(bytes.slice(0, 4)), /damaged: it ends before its header/);
  assert.throws(() => decodeKan(bytes.slice(0, 100)), /damaged: it ends inside its header/);
  assert.throws(() => decodeKan(bytes.slice(0, -1)), /does not fit/);
  assert.throws(() => decodeKan(bytes.with(8, 0)), /not JSON/);
  const renamed = new TextDecoder("latin1").decode(bytes).replace("layers.1.mask", "layers.1.musk");
  const changed = Uint8Array.from(renamed, (letter) => letter.charCodeAt(0));
  assert.throws(() => decodeKan(changed), /lacks the tensor "layers.1.mask"/);
});

Deno.test("whatever is changed in a file, decodeKan() gives a sound model or a RangeError", () => {
  const bytes = encodeKan(createRichModel());
  const text = new TextDecoder("latin1").decode(bytes);
  const pieces = [...'{}[]",:0123456789-', "null", "NaN", "1e9", '\\"', "[]", "{}", "true"];
  const header = text.lastIndexOf("}", 8 + Number(new DataView(bytes.buffer).getUint32(0, true)));
  const change = fc.tuple(fc.nat(header), fc.nat(12), fc.constantFrom(...pieces));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), fc.nat(999), (changes, at) => {
      let json = text.slice(8, header + 1);
      for (const [start, length, piece] of changes) {
        json = json.slice(0, start) + piece + json.slice(start + length);
      }
      const file = text.slice(header + 1).trimStart();
      const padded = json.padEnd(Math.ceil(json.length / 8) * 8);
      const changed = Uint8Array.from(`12345678${padded}${file}`, (letter) => letter.charCodeAt(0));
      new DataView(changed.buffer).setBigUint64(0, BigInt(padded.length), true);
      if (at % 3 === 0) changed.fill(0xff, changed.length - at);
      try {
        assert.ok(parametersOf(decodeKan(changed)).every(Number.isFinite));
      } catch (error) {
        assert.ok(error instanceof RangeError, `${error}`);
      }
    }),
    { numRuns: 3000, seed: 1 },
  );
  for (const text of ["null", "[]", "3", '{"a":null}', '{"__metadata__":null}']) {
    const padded = new TextEncoder().encode(`12345678${text}`);
    new DataView(padded.buffer).setBigUint64(0, BigInt(text.length), true);
    assert.throws(() => decodeKan(padded), RangeError);
  }
});
