import assert from "node:assert";
import { decompressWeights } from "../../hierarchy/decompress.ts";
import { HierarchicalCompressor } from "../../hierarchy/compressor.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { describeModel } from "../architectures/registry.ts";
import { evaluateLanguageModel } from "../measure/evaluate.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { calibrate } from "./calibrate.ts";
import { tensorMetrics } from "./tensor_metrics.ts";

/** A vocabulary of which calibration sees a twentieth. */
const VOCABULARY = 1280, SEEN = 64, CONTEXT = 32;

for (const tied of [true, false]) {
  Deno.test(`tokens that calibration never saw are kept about as well, ${tied ? "" : "un"}tied`, async () => {
    const config = {
      model_type: "llama",
      hidden_size: 32,
      intermediate_size: 64,
      num_attention_heads: 2,
      num_hidden_layers: 1,
      max_position_embeddings: CONTEXT,
      rms_norm_eps: 1e-5,
      vocab_size: VOCABULARY,
      tie_word_embeddings: tied,
    };
    const weights = randomStateDict(config, 5);
    const random = createRandom(6);
    const draw = (count: number, from: number) =>
      Int32Array.from({ length: count }, () => random.integer(from));
    const calibrationTokens = draw(8 * CONTEXT, SEEN);
    const common = { config, weights, contextLength: CONTEXT, backend: "cpu", threads: 1 } as const;
    const calibration = await calibrate({ ...common, tokens: calibrationTokens });
    const metrics = tensorMetrics(describeModel(config, weights.keys()), calibration);
    const compressor = new HierarchicalCompressor({ bits: 4, states: 8 });
    const { bytes } = await compressor.compress(weights, { metrics });
    const { klByFrequency, klDivergence } = await evaluateLanguageModel({
      ...common,
      original: weights,
      compressed: await decompressWeights(bytes),
      tokens: Int32Array.from(
        { length: 24 * CONTEXT },
        (_, i) => i % 2 ? draw(1, SEEN)[0]! : draw(1, VOCABULARY)[0]!,
      ),
      calibrationTokens,
    });
    const [unseen, ...seen] = klByFrequency!;
    assert.equal(unseen!.atLeast, 0);
    const rest = seen.reduce((sum, one) => sum + one.share * one.mean, 0) / (1 - unseen!.share);
    const figures = `${unseen!.mean} unseen, ${rest} seen, ${klDivergence!.mean} in all`;
    assert.ok(unseen!.share > 0.3, `${unseen!.share}`);
    assert.ok(unseen!.mean < 3 * rest, figures);
  });
}
