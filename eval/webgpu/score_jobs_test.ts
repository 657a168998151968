import assert from "node:assert";
import type { StateDict } from "../../data/tensor.ts";
import { needsWebGpu } from "../../kan/testdata/needs_webgpu.ts";
import { describeModel } from "../architectures/registry.ts";
import { evaluateLanguageModel, evaluateOriginal } from "../measure/evaluate.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import { chooseProtocol, planWindows } from "../protocols/protocol.ts";
import { jobOptions } from "../scoring/score_windows.ts";
import { planJobs } from "../scores/scoring_jobs.ts";
import { deviceConfigs, llama } from "../testdata/device_configs.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { openDevice } from "./open_device.ts";
import { whyUnsupported } from "./supported.ts";
import { scoreJobs } from "./score_jobs.ts";

function textOf(length: number, vocabulary: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => (i * i * 7 + 11 * i) % vocabulary);
}

function assertNear(found: number, expected: number): void {
  assert.ok(Math.abs(found / expected - 1) < 1e-5, `${found} is not ${expected}`);
}

for (const [name, config] of Object.entries(deviceConfigs)) {
  Deno.test({
    name: `our programs on WebGPU give the figures of WebAssembly: ${name}`,
    ...needsWebGpu,
    async fn() {
      const model = describeModel(config, []);
      assert.equal(whyUnsupported(model, { largestBinding: 2 ** 27 }, 150), undefined);
      const [original, compressed] = [randomStateDict(config, 1), randomStateDict(config, 2)];
      const tokens = textOf(700, 301);
      const options = { config, original, compressed, tokens, contextLength: 150, threads: 1 };
      const wasm = await evaluateLanguageModel({ ...options, backend: "wasm" });
      const webgpu = await evaluateLanguageModel({ ...options, backend: "webgpu" });
      assertNear(webgpu.perplexity.original, wasm.perplexity.original);
      assertNear(webgpu.perplexity.compressed!, wasm.perplexity.compressed!);
      assertNear(webgpu.klDivergence!.mean, wasm.klDivergence!.mean);
      assert.equal(webgpu.sameTop1!.share, wasm.sameTop1!.share);
    },
  });
}

/** Weights that differ a little from others, as those of a compressed model do. */
function disturb(weights: StateDict, share: number): StateDict {
  let sign = share;
  return new Map(Array.from(weights, ([name, tensor]) => {
    const data = tensor.data.map((value, i) => {
      if (i % 3 === 0) sign = -sign;
      return value * (1 + sign);
    });
    return [name, { ...tensor, data }];
  }));
}

Deno.test({
  name: "a small divergence is as exact on WebGPU as in float64",
  ...needsWebGpu,
  async fn() {
    const original = randomStateDict(llama, 1);
    const options = {
      config: llama,
      original,
      compressed: disturb(original, 1e-3),
      tokens: textOf(600, 301),
      contextLength: 200,
      threads: 1,
    };
    const wasm = await evaluateLanguageModel({ ...options, backend: "wasm" });
    const webgpu = await evaluateLanguageModel({ ...options, backend: "webgpu" });
    assert.ok(wasm.klDivergence!.mean < 1e-5);
    const ratio = webgpu.klDivergence!.mean / wasm.klDivergence!.mean;
    assert.ok(Math.abs(ratio - 1) < 1e-2, `${ratio}`);
  },
});

Deno.test({
  name: "float16 weights take half the room and give the same figures",
  ...needsWebGpu,
  async fn() {
    const rounded = new Map(Array.from(randomStateDict(llama, 1), ([name, tensor]) => {
      const data = Float32Array.from(Float16Array.from(tensor.data));
      return [name, { ...tensor, data }];
    }));
    const options = {
      config: llama,
      original: rounded,
      tokens: textOf(600, 301),
      contextLength: 200,
      threads: 1,
    };
    const wasm = await evaluateLanguageModel({ ...options, backend: "wasm" });
    const webgpu = await evaluateLanguageModel({ ...options, backend: "webgpu" });
    assertNear(webgpu.perplexity.original, wasm.perplexity.original);
    const [half, whole] = [await countsOf(rounded), await countsOf(randomStateDict(llama, 1))];
    const saved = whole.bytesSent - half.bytesSent;
    const matrices = Array.from(rounded.values()).filter(({ shape }) => shape.length > 1);
    const values = matrices.reduce((sum, { data }) => sum + data.length, 0);
    // All but the token embedding, whose rows are looked up elsewhere.
    assert.equal(saved, 2 * (values - 301 * 48));
  },
});

Deno.test({
  name: "an original that ran before gives the same figures, in jobs of another size too",
  ...needsWebGpu,
  async fn() {
    const [original, compressed] = [randomStateDict(llama, 1), randomStateDict(llama, 2)];
    const options = {
      config: llama,
      original,
      tokens: textOf(2600, 301),
      contextLength: 250,
      threads: 1,
      backend: "webgpu" as const,
    };
    const whole = await evaluateLanguageModel({ ...options, compressed });
    const { base } = await evaluateOriginal(options);
    const again = await evaluateLanguageModel({ ...options, compressed, base });
    assert.deepEqual(again, whole);
    const { base: onWasm } = await evaluateOriginal({ ...options, backend: "wasm" });
    assert.notEqual(onWasm.states.length, base.states.length);
    const mixed = await evaluateLanguageModel({ ...options, compressed, base: onWasm });
    assertNear(mixed.klDivergence!.mean, whole.klDivergence!.mean);
  },
});

async function countsOf(weights: StateDict, layers = 2) {
  const model = describeModel({ ...llama, num_hidden_layers: layers }, weights.keys());
  const settings = chooseProtocol(model, { contextLength: 200 });
  const windows = planWindows(model, settings, { tokens: textOf(600, 301) });
  const { jobs } = planJobs(windows, jobOptions(model));
  const device = await openDevice();
  const before = { ...device.counts };
  try {
    await scoreJobs(device, {
      model,
      weights: [prepareWeights(model, weights, false)],
      jobs,
      keepsBase: false,
      onResult: () => {},
    });
    const { dispatches, submissions, bytesSent, bytesRead } = device.counts;
    return {
      dispatches: dispatches - before.dispatches,
      submissions: submissions - before.submissions,
      bytesSent: bytesSent - before.bytesSent,
      bytesRead: bytesRead - before.bytesRead,
      rows: jobs.reduce((sum, { rows }) => sum + rows.length, 0),
      jobs: jobs.length,
    };
  } finally {
    device.close();
  }
}

Deno.test({
  name: "a layer takes at most 25 dispatches and one command buffer, a prediction 64 bytes back",
  ...needsWebGpu,
  async fn() {
    const weights = (layers: number) => randomStateDict({ ...llama, num_hidden_layers: layers }, 1);
    const [two, five] = [await countsOf(weights(2)), await countsOf(weights(5), 5)];
    assert.equal(two.jobs, 1);
    assert.ok((five.dispatches - two.dispatches) / 3 <= 25);
    assert.equal(five.submissions - two.submissions, 3);
    assert.ok(two.bytesRead <= 64 * two.rows, `${two.bytesRead} bytes of ${two.rows} rows`);
  },
});

Deno.test({
  name: "work on WebGPU stops between jobs, and a device that is lost ends it with an error",
  ...needsWebGpu,
  async fn() {
    const weights = randomStateDict(llama, 1);
    const options = { config: llama, original: weights, tokens: textOf(600, 301) };
    const signal = AbortSignal.abort(new Error("stopped"));
    await assert.rejects(
      evaluateLanguageModel({ ...options, backend: "webgpu", signal }),
      /stopped/,
    );
    const model = describeModel(llama, weights.keys());
    const device = await openDevice();
    device.close();
    await assert.rejects(scoreJobs(device, {
      model,
      weights: [prepareWeights(model, weights, false)],
      jobs: [{
        tokens: Int32Array.of(1, 2),
        batch: 1,
        rows: Int32Array.of(0),
        labels: Int32Array.of(2),
      }],
      keepsBase: false,
      onResult: () => {},
    }));
  },
});

Deno.test({
  name: "models that our programs do not know run on tfjs' WebGPU",
  ...needsWebGpu,
  async fn() {
    const config = { ...llama, intermediate_size: 70 };
    const options = {
      config,
      original: randomStateDict(config, 1),
      tokens: textOf(100, 301),
      contextLength: 50,
      threads: 1,
    };
    const wasm = await evaluateLanguageModel({ ...options, backend: "wasm" });
    const webgpu = await evaluateLanguageModel({ ...options, backend: "webgpu" });
    assertNear(webgpu.perplexity.original, wasm.perplexity.original);
  },
});
