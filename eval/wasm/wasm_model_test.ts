import assert from "node:assert";
import { architectures, describeModel } from "../architectures/registry.ts";
import {
  architectureCases,
  architectureTokens,
  formulaWeights,
} from "../testdata/architecture_models.ts";
import type { StateDict } from "../../data/tensor.ts";
import type { ModelConfig } from "../architectures/config.ts";
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
