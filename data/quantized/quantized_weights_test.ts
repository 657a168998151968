import assert from "node:assert";
import { memorySource } from "../memory_source.ts";
import { encodeSafetensors, type TensorBytes } from "../safetensors_encode.ts";
import { openSafetensors } from "../safetensors_file.ts";
import type { DType } from "../tensor.ts";
import { dequantizedWeights } from "./quantized_weights.ts";
import layers from "./testdata/layers.json" with { type: "json" };

interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: string;
}

const STEM = "model.layers.0.self_attn.q_proj";
const NORM: TensorBytes = {
  name: "model.norm.weight",
  dtype: "F32",
  shape: [2],
  bytes: new Uint8Array(Float32Array.of(1, 2).buffer),
};

/** Opens a file of a norm and the tensors of a layer. */
async function open(tensors: Readonly<Record<string, StoredTensor | undefined>>) {
  const stored = Object.entries(tensors).flatMap(([part, tensor]): TensorBytes[] =>
    tensor === undefined ? [] : [{
      name: `${STEM}.${part}`,
      dtype: tensor.dtype as DType,
      shape: tensor.shape,
      bytes: Uint8Array.fromBase64(tensor.bytes),
    }]
  );
  return await openSafetensors(
    memorySource(encodeSafetensors([NORM, ...stored]), "model.safetensors"),
  );
}

const parts = (name: string) => layers.find((layer) => layer.name === name)!.tensors;

for (const { name, bits, tensors, weight } of layers) {
  Deno.test(`${name}: weights are those of the program that packed them, bit for bit`, async () => {
    const method = name.slice(0, 4).replace(",", "").toLowerCase();
    const settings = { quantization_config: { quant_method: method, bits } };
    const found = (await dequantizedWeights(await open(tensors), settings))!;
    assert.equal(
      found.quantization,
      `${method.toUpperCase()}, ${bits} bits in groups of 32`,
    );
    assert.deepEqual(found.weights.tensors.map(({ name }) => name), [
      "model.norm.weight",
      `${STEM}.weight`,
    ]);
    const { shape, dtype, data } = await found.weights.read(`${STEM}.weight`);
    assert.deepEqual([shape, dtype], [weight.shape, "F32"]);
    const expected = new Float32Array(Uint8Array.fromBase64(weight.bytes).buffer);
    assert.deepEqual(data, expected);
    const rows = await found.weights.readRows!(`${STEM}.weight`, Int32Array.of(1, 31));
    assert.deepEqual(rows.data.subarray(64), expected.subarray(31 * 64));
    assert.deepEqual((await found.weights.read("model.norm.weight")).data, Float32Array.of(1, 2));
    assert.equal(found.weights.fileOf!(`${STEM}.weight`), "model.safetensors");
  });
}

Deno.test("without group indices, inputs that follow each other share a group", async () => {
  const { g_idx: _, ...rest } = parts("GPTQ, 4 bits");
  const { weights } = (await dequantizedWeights(await open(rest), {}))!;
  const whole = (await dequantizedWeights(await open(parts("GPTQ, 4 bits")), {}))!;
  const name = `${STEM}.weight`;
  assert.deepEqual(await weights.read(name), await whole.weights.read(name));
});

Deno.test("biases of zeros, which AutoGPTQ gave layers without any, are left out", async () => {
  const bias = (value: number): StoredTensor => {
    const bytes = new Uint8Array(Float32Array.from({ length: 32 }, () => value).buffer).toBase64();
    return { dtype: "F32", shape: [32], bytes };
  };
  for (const [value, kept] of [[0, 2], [0.5, 3]] as const) {
    const file = await open({ ...parts("GPTQ, 4 bits"), bias: bias(value) });
    const { weights } = (await dequantizedWeights(file, {}))!;
    assert.equal(weights.tensors.length, kept);
  }
});

Deno.test("the second format of GPTQ stores zeros as they are", async () => {
  const { scales, ...rest } = parts("GPTQ, 4 bits");
  const first = (await dequantizedWeights(await open({ scales, ...rest }), {}))!;
  const settings = { quantization_config: { checkpoint_format: "gptq_v2" } };
  const second = (await dequantizedWeights(await open({ scales, ...rest }), settings))!;
  const one = await first.weights.read(`${STEM}.weight`);
  const two = await second.weights.read(`${STEM}.weight`);
  const step = new Float16Array(Uint8Array.fromBase64(scales.bytes).buffer)[0]!;
  assert.equal(two.data[0]! - one.data[0]!, step);
});

Deno.test("what is packed in other ways is refused by name, or left to others", async () => {
  const gptq = parts("GPTQ, 4 bits");
  const refused: [Record<string, StoredTensor>, Record<string, unknown>, RegExp][] = [
    [gptq, { checkpoint_format: "marlin" }, /are packed as "marlin", which is not supported/],
    [parts("AWQ"), { quant_method: "awq", version: "gemv" }, /as AWQ's "gemv", which is not/],
    [
      { ...gptq, qweight: { ...gptq.qweight, shape: [4, 64] } },
      {},
      /of shapes \[4, 64\], \[2, 4\]/,
    ],
    [{ ...gptq, qweight: { ...gptq.qweight, dtype: "F32" } }, {}, /qweight" is F32, where GPTQ/],
  ];
  for (const [tensors, settings, message] of refused) {
    const file = await open(tensors);
    const config = { quantization_config: settings };
    await assert.rejects(dequantizedWeights(file, config), {
      name: "InputError",
      message: new RegExp(`^model.safetensors: .*${message.source}`),
    });
  }
  const ordered = parts("GPTQ, 4 bits, ordered by activations");
  const wrong = { ...ordered.g_idx!, bytes: new Uint8Array(256).fill(9).toBase64() };
  const { weights } = (await dequantizedWeights(await open({ ...ordered, g_idx: wrong }), {}))!;
  await assert.rejects(weights.read(`${STEM}.weight`), {
    name: "InputError",
    message: /^model.safetensors: tensor ".*g_idx" does not give each of 64 inputs one of 2 groups/,
  });
  const { qzeros: _, ...marlin } = gptq;
  assert.equal(await dequantizedWeights(await open(marlin), {}), undefined);
  assert.equal(await dequantizedWeights(await open({}), { quantization_config: {} }), undefined);
});
