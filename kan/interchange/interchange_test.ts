import assert from "node:assert";
import { readFileSync } from "node:fs";
import { decodeKan, encodeKan, evaluateKan, type KanModel, samplesFrom } from "../mod.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../model/safetensors.ts";
import { readEfficientKan } from "./efficient_kan.ts";
import { readPykan } from "./pykan.ts";

const read = (name: string) =>
  new Uint8Array(readFileSync(new URL(`testdata/${name}`, import.meta.url)));
const answers = (name: string): { inputs: number[][]; outputs: number[][] } =>
  JSON.parse(new TextDecoder().decode(read(`${name}.json`)));

function check(model: KanModel, name: string, kept: readonly number[], tolerance: number) {
  const { inputs, outputs } = answers(name);
  const points = samplesFrom(inputs.map((point) => kept.map((i) => point[i]!)));
  const { data } = evaluateKan(model, points);
  outputs.flat().forEach((expected, at) =>
    assert.ok(Math.abs(data[at]! - expected) < tolerance, `${at}: ${data[at]} ${expected}`)
  );
  assert.deepEqual(evaluateKan(decodeKan(encodeKan(model)), points).data, data);
}

/** The file with other tensors or metadata. */
function changed(
  name: string,
  change: (tensors: Map<string, StoredTensor>, config: Record<string, unknown>) => void,
): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(read(name));
  const copy = new Map(tensors), config = JSON.parse(metadata.pykan ?? "{}");
  change(copy, config);
  return encodeSafetensors(copy, { pykan: JSON.stringify(config) });
}

Deno.test("a pruned pykan with products, affine nodes and symbolic edges answers the same", () => {
  const { model, kept } = readPykan(read("pykan.safetensors"));
  assert.deepEqual(kept, [0, 2]);
  assert.deepEqual(model.layers[0]!.products, [2, 3]);
  assert.deepEqual([...model.layers[0]!.symbolic.values()].map(({ name }) => name).sort(), [
    "0",
    "atan",
    "sin",
  ]);
  check(model, "pykan", kept, 1e-11);
});

Deno.test("a bias that no other edge can take goes into a spline, inside its grid", () => {
  const before = readPykan(read("pykan.safetensors")).model;
  const bytes = changed("pykan.safetensors", (tensors) => {
    const { dtype, shape } = tensors.get("node_bias_1")!;
    tensors.set("node_bias_1", {
      dtype,
      shape,
      bytes: new Uint8Array(Float64Array.of(0.25).buffer),
    });
  });
  const points = samplesFrom([[0.1, 0.5], [-0.72, 0.9]]);
  const [a, b] = [before, readPykan(bytes).model].map((model) => evaluateKan(model, points).data);
  a!.forEach((value, i) => assert.ok(Math.abs(b![i]! - value - 0.25) < 1e-12));
});

Deno.test("an efficient-kan with moved grids answers the same", () => {
  const model = readEfficientKan(read("efficient_kan.safetensors"));
  assert.equal(model.layers[0]!.bases.length, 2);
  check(model, "efficient_kan", [0, 1], 1e-5);
});

Deno.test("an efficient-kan without scales, and a single layer of it, are read", () => {
  const bytes = changed("efficient_kan.safetensors", (tensors) => {
    for (const name of [...tensors.keys()]) {
      const tensor = tensors.get(name)!;
      tensors.delete(name);
      if (name.startsWith("layers.0.") && !name.endsWith("spline_scaler")) {
        tensors.set(name.slice("layers.0.".length), tensor);
      }
    }
  });
  const model = readEfficientKan(bytes, "identity");
  assert.deepEqual([model.layers.length, model.layers[0]!.splineScales.length], [1, 0]);
});

Deno.test("files that are no such checkpoints are refused with what they lack", () => {
  assert.throws(() => readPykan(read("efficient_kan.safetensors")), /metadata entry "pykan"/);
  assert.throws(() => readEfficientKan(read("pykan.safetensors")), /layers.0.base_weight/);
  assert.throws(() => readPykan(new Uint8Array(4)), /damaged/);
  const pykan = (change: Parameters<typeof changed>[1]) => () =>
    readPykan(changed("pykan.safetensors", change));
  assert.throws(pykan((tensors) => tensors.delete("act_fun.1.mask")), /"act_fun.1.mask" of shape/);
  assert.throws(pykan((_, config) => config.width = [[2, 0], [3, 0], [1, 0]]), RangeError);
  assert.throws(pykan((_, config) => config.width = 3), /not what pykanExport writes/);
  assert.throws(pykan((_, config) => config.base_fun = "relu"), /base function "relu"/);
  assert.throws(pykan((_, config) => config.input_id = [0]), /input_id names 1 columns/);
  assert.throws(
    pykan((_, config) => {
      const [first] = config.symbolic as string[][][];
      first!.forEach((row, o) => first![o] = row.map((name) => name === "sin" ? "J0" : name));
    }),
    /no function "J0".*addSymbolicFunction/,
  );
  assert.throws(
    pykan((tensors) => {
      const mask = tensors.get("act_fun.0.mask")!;
      const ones = new Float64Array(mask.bytes.length / 8).fill(1);
      tensors.set("act_fun.0.mask", { ...mask, bytes: new Uint8Array(ones.buffer) });
    }),
    /a spline and a symbolic form at once/,
  );
});
