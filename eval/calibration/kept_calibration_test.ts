import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { isNativeInstalled } from "../native/runtime.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { calibratePacked } from "./calibrate.ts";
import { unpackCalibration } from "./packed_calibration.ts";
import { smallLlama } from "../testdata/small_llama.ts";

const config: ModelConfig = { ...smallLlama, num_hidden_layers: 5 };
const random = createRandom(5);
const options = {
  config,
  weights: randomStateDict(config, 1),
  tokens: Int32Array.from({ length: 700 }, () => random.integer(20)),
  contextLength: 64,
  seed: 3,
  threads: 2,
};

for (const backend of ["wasm", "native"] as const) {
  Deno.test({
    name: `calibration in passes, kept elsewhere, is that of one pass, on ${backend}`,
    ignore: backend === "native" && !isNativeInstalled(),
    async fn() {
      const whole = await calibratePacked({ ...options, backend });
      for (const passes of [1, 2, 5]) {
        let kept = 0;
        const keep = (values: Float32Array) => {
          const copy = values.slice();
          kept += copy.length;
          return () => copy.slice();
        };
        const shares: number[] = [];
        const onProgress = (share: number) => void shares.push(share);
        const parts = await calibratePacked({ ...options, backend, onProgress }, { passes, keep });
        assert.ok(kept >= whole.moments.reduce((sum, { triangle }) => sum + triangle.length, 0));
        assert.deepEqual(shares, shares.toSorted((a, b) => a - b));
        assert.equal(shares.at(-1), 1);
        const [one, other] = [whole, parts].map(unpackCalibration);
        assert.deepEqual([...one!.linears.keys()], [...other!.linears.keys()]);
        for (const [name, { hessian, fisher, sharedWith, outputMoments }] of one!.linears) {
          const found = other!.linears.get(name)!;
          assert.deepEqual(found.hessian, hessian);
          assert.deepEqual(found.fisher, fisher);
          assert.deepEqual(found.sharedWith, sharedWith);
          const moments = (blocks = outputMoments) => blocks?.map(({ moment }) => moment);
          assert.deepEqual(moments(found.outputMoments), moments());
        }
        assert.deepEqual(other!.embeddingMoment, one!.embeddingMoment);
        assert.deepEqual(other!.tokenFrequencies, one!.tokenFrequencies);
      }
    },
  });
}
