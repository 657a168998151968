import assert from "node:assert";
import { architectures, describeModel } from "../architectures/registry.ts";
import {
  architectureCases,
  architectureTokens,
  formulaWeights,
} from "../testdata/architecture_models.ts";
import type { StateDict } from "../../data/tensor.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { roundToFloat16 } from "../../data/round_to_float16.ts";
import { createLanguageModel } from "../generation/language_model.ts";
import { useBackend } from "../compute/backend.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { whyUnsupported } from "./supported.ts";
import { WasmModel } from "./wasm_model.ts";

function load(config: ModelConfig, weights: StateDict): WasmModel {
  const model = WasmModel.create(describeModel(config, weights.keys()));
  assert.ok(model !== undefined);
  for (const [name, tensor] of weights) model.put(name, tensor);
  return model;
}

function assertClose(found: ArrayLike<number>, expected: ArrayLike<number>, most = 1e-4): void {
  assert.equal(found.length, expected.length);
  let worst = 0;
  for (let i = 0; i < found.length; i++) {
    worst = Math.max(worst, Math.abs(found[i]! - expected[i]!));
  }
  assert.ok(worst <= most, `${worst}`);
}

for (const { name, config, logits } of architectureCases) {
  const weights = formulaWeights(config);
  const model = describeModel(config, weights.keys());
  if (model.objective !== "nextToken") continue;
  Deno.test(`logits agree with transformers, at once and token by token: ${name}`, async () => {
    const loaded = load(config, weights);
    const size = model.vocabularySize;
    for (const threads of [1, 2]) {
      for (const { length, values } of logits) {
        const runner = await loaded.startRunner({ threads });
        try {
          const last = values.subarray(values.length - size);
          const ids = architectureTokens.slice(0, length);
          assertClose(await runner.run(ids, 1), last);
          runner.reset();
          // Where positions depend on the length, tokens one by one are placed otherwise.
          const { scaling } = model.layers[0]!.attention.rotary ?? {};
          if (scaling?.kind === "dynamic" || scaling?.kind === "longrope") continue;
          for (const id of ids.subarray(0, -1)) await runner.run(Int32Array.of(id), 1);
          assertClose(await runner.run(ids.subarray(-1), 1), last);
        } finally {
          runner.dispose();
        }
      }
    }
  });
}

Deno.test("every architecture that predicts next tokens is known", () => {
  for (const { name, config } of architectureCases) {
    const model = describeModel(config, []);
    const expected = model.objective === "nextToken" ? undefined : "it predicts no next tokens";
    assert.equal(whyUnsupported(model), expected, name);
  }
  assert.ok(architectures.length > 10);
});

const llama = {
  model_type: "llama",
  hidden_size: 36,
  intermediate_size: 52,
  num_attention_heads: 3,
  num_key_value_heads: 1,
  num_hidden_layers: 2,
  max_position_embeddings: 600,
  vocab_size: 45,
};

/** Weights as a type of 16 bits holds them, and as many bytes as the model then may take of each. */
function narrow(dtype: "BF16" | "F16" | "F32"): StateDict {
  const word = new Uint32Array(1);
  const value = new Float32Array(word.buffer);
  const bfloat = (x: number) => {
    value[0] = x;
    word[0]! &= 0xffff0000;
    return value[0]!;
  };
  const round = { F32: (x: number) => x, F16: roundToFloat16, BF16: bfloat }[dtype];
  const dict = [...randomStateDict(llama, 6)];
  return new Map(dict.map(([name, { shape, data }]) => {
    // Some are subnormal numbers of half precision.
    const small = data.map((x, i) => i % 9 === 0 ? x * 2 ** -20 : x);
    return [name, { dtype, shape, data: shape.length === 2 ? small.map((x) => round(x)) : data }];
  }));
}

for (const dtype of ["F32", "F16", "BF16"] as const) {
  Deno.test(`${dtype}: no sequence depends on others, on threads, or on how it is cut`, async () => {
    const weights = narrow(dtype);
    const loaded = load(llama, weights);
    const parameters = [...weights.values()].reduce((sum, { data }) => sum + data.length, 0);
    assert.ok(loaded.bytes < parameters * (dtype === "F32" ? 6 : 3), `${loaded.bytes}`);
    await useBackend("wasm");
    const reference = createLanguageModel(llama, weights);
    const sequences = 3, length = 290;
    const ids = Int32Array.from({ length: sequences * length }, (_, i) => i * i % 45);
    const together = await loaded.startRunner({ threads: 3 });
    const found = (await together.run(ids, sequences)).slice();
    together.dispose();
    for (let i = 0; i < sequences; i++) {
      const own = ids.slice(i * length, (i + 1) * length);
      const expected = found.slice(45 * i, 45 * (i + 1));
      const logits = reference.logits(own);
      assertClose(expected, logits.dataSync().slice(-45), 1e-5);
      logits.dispose();
      const runner = await loaded.startRunner({ threads: 1 });
      for (const [start, end] of [[0, 5], [5, 280], [280, 281], [281, 290]] as const) {
        const last = await runner.run(own.slice(start, end), 1);
        if (end === length) assert.deepEqual(last, expected);
      }
      runner.dispose();
    }
    // Token by token, beyond the room that there is at first.
    const stepping = await loaded.startRunner({ threads: 2 });
    let last = new Float32Array();
    for (let position = 0; position < length; position++) {
      const step = Int32Array.from({ length: sequences }, (_, i) => ids[i * length + position]!);
      last = new Float32Array(await stepping.run(step, sequences));
    }
    assert.deepEqual(last, found);
    stepping.dispose();
    reference.dispose();
  });
}

Deno.test("what is wrong is named", async () => {
  const weights = randomStateDict(llama, 1);
  const model = WasmModel.create(describeModel(llama, []))!;
  await assert.rejects(model.startRunner(), /tensor "model.embed_tokens.weight" is missing/);
  const [name, tensor] = [...weights][1]!;
  const wrong = { ...tensor, shape: [1, 2] };
  assert.throws(() => model.put(name, wrong), /has shape \[1, 2\], expected \[/);
  const whole = load(llama, weights);
  const first = await whole.startRunner({ threads: 1 });
  await assert.rejects(whole.startRunner(), /writing already/);
  first.dispose();
  const second = await whole.startRunner({ threads: 1 });
  await assert.rejects(second.run(Int32Array.of(45), 1), /45/);
  second.dispose();
});
