import assert from "node:assert";
import { memorySource } from "../../data/memory_source.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { codedWeights } from "../../hierarchy/coded_weights.ts";
import { HierarchicalCompressor } from "../../hierarchy/compressor.ts";
import { decodeContainer } from "../../hierarchy/decode_container.ts";
import { openContainer } from "../../hierarchy/file/container.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { WasmModel } from "./wasm_model.ts";

const llama = {
  model_type: "llama",
  hidden_size: 40,
  intermediate_size: 56,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  max_position_embeddings: 64,
  vocab_size: 50,
};
const gpt2 = {
  model_type: "gpt2",
  n_embd: 24,
  n_head: 2,
  n_layer: 2,
  n_positions: 32,
  vocab_size: 30,
};

/** The model as floats and from its integers, and how many matrices are of those. */
async function bothModels(config: ModelConfig, bits: number) {
  const { bytes } = await new HierarchicalCompressor({ bits, preset: "rate" })
    .compress(randomStateDict(config, 3));
  const container = await openContainer(memorySource(bytes, "model"));
  const weights = await decodeContainer(container);
  const coded = codedWeights(container)!;
  const description = describeModel(config, weights.keys());
  const floats = WasmModel.create(description)!;
  const integers = WasmModel.create(description)!;
  let count = 0;
  for (const name of floats.missing) {
    floats.put(name, weights.get(name)!);
    if (coded.names.has(name) && integers.putCoded(name, await coded.read(name))) count++;
    else integers.put(name, weights.get(name)!);
  }
  return { floats, integers, count };
}

for (const config of [llama, gpt2]) {
  for (const bits of [3, 5, 9, 11]) {
    Deno.test(`logits from integers are those of the decoded weights: ${config.model_type}, ${bits} bits`, async () => {
      const { floats, integers, count } = await bothModels(config, bits);
      assert.ok(count > 4, `${count}`);
      const random = createRandom(bits);
      const ids = Int32Array.from({ length: 40 }, () => random.integer(30)).subarray(0, 20);
      for (const model of [integers]) {
        const one = await floats.startRunner({ threads: 1 });
        const two = await model.startRunner({ threads: 2 });
        const expected = await one.run(ids, 2);
        const found = await two.run(ids, 2);
        const most = Math.max(...expected.map(Math.abs));
        found.forEach((value, i) =>
          assert.ok(Math.abs(value - expected[i]!) < 1e-5 * most, `${value} ${expected[i]}`)
        );
        one.dispose();
        two.dispose();
      }
    });
  }
}
