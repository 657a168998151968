import assert from "node:assert";
import { checkTensors } from "./expected_tensors.ts";
import { describeModel } from "../architectures/registry.ts";
import { refuseQuantized } from "./quantized_checkpoint.ts";

const linear = "model.layers.0.self_attn.q_proj";

Deno.test("quantized checkpoints are called by what they are", () => {
  const cases: [string, string | undefined, RegExp][] = [
    [`${linear}.qweight`, "gptq", /by GPTQ \(it has the tensor "model.*qweight"\); take the model/],
    [`${linear}.qweight`, "awq", /by AWQ/],
    [`${linear}.qzeros`, undefined, /by GPTQ or AWQ/],
    [`${linear}.g_idx`, "constructor", /by GPTQ/],
    [`${linear}.g_idx`, undefined, /by GPTQ/],
    [`${linear}.weight.absmax`, "bitsandbytes", /by bitsandbytes/],
    [`${linear}.weight.quant_state.bitsandbytes__nf4`, undefined, /by bitsandbytes in 4 bits/],
    [`${linear}.SCB`, undefined, /by bitsandbytes in 8 bits/],
    [`${linear}.weight_scale_inv`, "fp8", /by fp8 with scales/],
    [`${linear}.weight_scale`, undefined, /by fp8 or int8 with scales/],
    [`${linear}.weight_packed`, "compressed-tensors", /by compressed-tensors/],
    ["model.layers.0.mlp.experts.down_proj_blocks", "mxfp4", /by MXFP4/],
  ];
  for (const [name, method, message] of cases) {
    const config = method === undefined ? {} : { quantization_config: { quant_method: method } };
    assert.throws(() => refuseQuantized(config, ["norm.weight", name]), {
      name: "InputError",
      message,
    });
  }
});

Deno.test("a quantization_config that is left over beside whole weights does not matter", () => {
  const names = [`${linear}.weight`, "transformer.h.0.attn.bias", "lm_head.weight"];
  for (const left of [{ quant_method: "gptq" }, null, "x", 5]) {
    refuseQuantized({ quantization_config: left }, names);
  }
});

Deno.test("it is said before a shape or a name is found not to fit", () => {
  const config = {
    model_type: "llama",
    hidden_size: 12,
    intermediate_size: 20,
    num_attention_heads: 3,
    num_hidden_layers: 1,
    max_position_embeddings: 8,
    vocab_size: 5,
  };
  const tensors = [
    { name: "model.embed_tokens.weight", shape: [6, 12] },
    { name: `${linear}.qweight`, shape: [1, 12] },
  ];
  const model = describeModel(config, []);
  assert.throws(() => checkTensors(config, model, tensors), /its weights are quantized already/);
});
