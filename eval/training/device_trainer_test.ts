import assert from "node:assert";
import * as tf from "@tensorflow/tfjs";
import { greatest } from "../../data/extremes.ts";
import type { StateDict } from "../../data/tensor.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { needsWebGpu } from "../../kan/testdata/needs_webgpu.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import { useBackend } from "../compute/backend.ts";
import { createLanguageModel } from "../generation/language_model.ts";
import { deviceConfigs, llama } from "../testdata/device_configs.ts";
import { needsNative } from "../testdata/needs_native.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { expectedTensors } from "../weights/expected_tensors.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import { openDevice } from "../webgpu/open_device.ts";
import { createTrainer } from "./create_trainer.ts";
import { openDeviceTrainer } from "./device_trainer.ts";
import { NativeTrainer } from "./native_trainer.ts";
import { arraysOf, startTrainables } from "./trainables.ts";
import type { Trainables, Trainer, TrainingStep } from "./trainer.ts";

const length = 24;

const chunks = Array.from(
  { length: 3 },
  (_, chunk) => Int32Array.from({ length }, (_, i) => (i * i * 7 + 11 * i + 101 * chunk) % 301),
);

/** Gains near 1, and vectors near those of some weights. */
function trainablesNear(config: ModelConfig, weights: StateDict, seed: number): Trainables {
  const random = createRandom(seed);
  const near = (values: Float32Array) => values.map((value) => value + 0.1 * random.normal());
  const gains = new Map();
  const vectors = new Map();
  for (const [name, [rows, columns]] of expectedTensors(describeModel(config, weights.keys()))) {
    if (columns === undefined) vectors.set(name, near(weights.get(name)!.data));
    else {
      const ones = (count: number) => near(new Float32Array(count).fill(1));
      gains.set(name, { rows: ones(rows!), columns: ones(columns) });
    }
  }
  return { gains, vectors };
}

/** The weights that gains and vectors stand for. */
function applyTrainables(weights: StateDict, { gains, vectors }: Trainables): StateDict {
  return new Map(Array.from(weights, ([name, tensor]) => {
    const gain = gains.get(name);
    const columns = tensor.shape[1] ?? 1;
    const data = gain === undefined
      ? vectors.get(name)!
      : tensor.data.map((value, i) =>
        value * gain.rows[Math.floor(i / columns)]! * gain.columns[i % columns]!
      );
    return [name, { ...tensor, data }];
  }));
}

/** The mean divergence, from tfjs' logits on WebAssembly. */
async function divergenceOf(
  config: ModelConfig,
  original: StateDict,
  trained: StateDict,
  chunks: readonly Int32Array[],
): Promise<number> {
  await useBackend("wasm");
  let sum = 0;
  for (const chunk of chunks) {
    const [p, q] = [original, trained].map((weights) => {
      const model = createLanguageModel(config, weights);
      const logits = tf.tidy(() => tf.logSoftmax(model.logits(chunk, 1)).dataSync());
      model.dispose();
      return logits;
    });
    p!.forEach((logP, i) => sum += Math.exp(logP) * (logP - q![i]!));
  }
  return sum / chunks.length / chunks[0]!.length;
}

function optionsOf(config: ModelConfig) {
  const [original, compressed] = [randomStateDict(config, 1), randomStateDict(config, 2)];
  const model = describeModel(config, original.keys());
  const options = {
    model,
    original: prepareWeights(model, original, false),
    compressed: prepareWeights(model, compressed, false),
    threads: 1,
  };
  return { options, original, compressed };
}

async function openTrainer(config: ModelConfig) {
  const given = optionsOf(config);
  const trainer = await openDeviceTrainer(given.options);
  assert.ok(trainer !== undefined);
  return { ...given, trainer };
}

/** Arrays of one kind. */
function arraysOfKind({ gains, vectors }: Trainables, kind: "rows" | "columns" | "vectors") {
  return kind === "vectors"
    ? [...vectors.values()]
    : Array.from(gains.values(), (own) => own[kind]);
}

/** How much the loss rises along directions, by central differences. */
async function slopeAlong(
  trainer: Trainer,
  chunks: readonly Int32Array[],
  at: Trainables,
  values: readonly Float32Array[],
  directions: readonly Float64Array[],
): Promise<number> {
  const before = values.map((array) => array.slice());
  const step = 0.02 / Math.hypot(...directions.map((direction) => Math.hypot(...direction)));
  const losses = [];
  for (const sign of [1, -1]) {
    values.forEach((array, index) =>
      array.set(before[index]!.map((value, i) => value + sign * step * directions[index]![i]!))
    );
    losses.push(await trainer.loss(chunks, at));
  }
  values.forEach((array, index) => array.set(before[index]!));
  return (losses[0]! - losses[1]!) / (2 * step);
}

for (const [name, config] of Object.entries(deviceConfigs)) {
  Deno.test({
    name: `the loss on WebGPU is WebAssembly's, and the gradients are its slopes: ${name}`,
    ...needsWebGpu,
    async fn() {
      const { trainer, original, compressed } = await openTrainer(config);
      const at = trainablesNear(config, compressed, 3);
      const { loss, gradients } = await trainer.step(chunks, at);
      const expected = await divergenceOf(
        config,
        original,
        applyTrainables(compressed, at),
        chunks,
      );
      assert.ok(Math.abs(loss / expected - 1) < 1e-5, `${loss} is not ${expected}`);
      const random = createRandom(7);
      for (const kind of ["rows", "columns", "vectors"] as const) {
        const found = arraysOfKind(gradients, kind);
        // Every array counts alike, however small its gradient is.
        const directions = found.map((gradient) => {
          const norm = Math.hypot(...gradient) || 1;
          return Float64Array.from(
            gradient,
            (value) => value / norm + random.normal() / Math.sqrt(gradient.length),
          );
        });
        const along = found.map((gradient, index) =>
          gradient.reduce((sum, value, i) => sum + value * directions[index]![i]!, 0)
        );
        const slope = await slopeAlong(trainer, chunks, at, arraysOfKind(at, kind), directions);
        const rise = along.reduce((sum, value) => sum + value, 0);
        assert.ok(Math.abs(slope / rise - 1) < 5e-3, `${kind}: ${rise}, not ${slope}`);
      }
      await trainer.close();
    },
  });
}

Deno.test({
  name: "gradients on WebGPU are those of the native engine, one by one",
  ignore: needsWebGpu.ignore || needsNative.ignore,
  async fn() {
    for (const [name, config] of Object.entries(deviceConfigs)) {
      const { trainer, options, compressed } = await openTrainer(config);
      const at = trainablesNear(config, compressed, 3);
      const found = await trainer.step(chunks, at);
      await trainer.close();
      const native = new NativeTrainer(options);
      const expected = await native.step(chunks, at);
      await native.close();
      assert.ok(Math.abs(found.loss / expected.loss - 1) < 1e-5);
      const arrays = arraysOf(expected.gradients);
      const largest = greatest(arrays.map((gradient) => greatest(gradient.map(Math.abs))));
      for (const [index, gradient] of arraysOf(found.gradients).entries()) {
        const apart = greatest(gradient.map((value, i) => Math.abs(value - arrays[index]![i]!)));
        const size = greatest(arrays[index]!.map(Math.abs));
        assert.ok(apart <= 1e-3 * size + 1e-6 * largest, `${name}: ${apart} of ${size}`);
      }
    }
  },
});

Deno.test({
  name: "jobs of fewer tokens, chunks that come again and other weights give the same gradients",
  ...needsWebGpu,
  async fn() {
    const { trainer, compressed } = await openTrainer(llama);
    const at = trainablesNear(llama, compressed, 3);
    const all = await trainer.step(chunks, at);
    const parts = [];
    for (const chunk of chunks) parts.push(await trainer.step([chunk], at));
    const mean = parts.reduce((sum, { loss }) => sum + loss / parts.length, 0);
    assert.ok(Math.abs(mean / all.loss - 1) < 1e-6);
    const arrays = parts.map(({ gradients }) => arraysOf(gradients));
    arraysOf(all.gradients).forEach((gradient, index) => {
      const size = greatest(gradient.map(Math.abs));
      gradient.forEach((value, i) => {
        const sum = arrays.reduce((sum, own) => sum + own[index]![i]!, 0);
        assert.ok(Math.abs(value - sum / parts.length) <= 1e-5 * size + 1e-8);
      });
    });
    assert.deepEqual(await trainer.step(chunks, at), all);
    const name = "model.layers.1.mlp.down_proj.weight";
    const { data } = compressed.get(name)!;
    trainer.replaceWeights!(new Map([[name, data.map((value) => 2 * value)]]));
    assert.notEqual(await trainer.loss(chunks, at), all.loss);
    const { rows } = at.gains.get(name)!;
    rows.forEach((value, i) => rows[i] = value / 2);
    assert.ok(Math.abs(await trainer.loss(chunks, at) / all.loss - 1) < 1e-6);
    await trainer.close();
  },
});

Deno.test({
  name: "a device whose programs see little of a buffer finds the same gradients",
  ...needsWebGpu,
  async fn() {
    const { options, compressed } = optionsOf(llama);
    const at = trainablesNear(llama, compressed, 3);
    const found = [];
    // The head in one part and its logits in one block, then in two parts and several blocks.
    for (const largestBinding of [2 ** 27, 40_000]) {
      const device = await openDevice();
      Object.defineProperty(device, "largestBinding", { value: largestBinding });
      const trainer = await openDeviceTrainer(options, () => Promise.resolve(device));
      assert.ok(trainer !== undefined);
      found.push(await trainer.step(chunks, at, { weightGradients: true }));
      await trainer.close();
    }
    const [whole, parts] = found;
    assert.ok(Math.abs(parts!.loss / whole!.loss - 1) < 1e-6);
    const arrays = (step: TrainingStep) => [
      ...arraysOf(step.gradients),
      ...step.weights!.values(),
    ];
    const expected = arrays(whole!);
    for (const [index, gradient] of arrays(parts!).entries()) {
      const size = greatest(expected[index]!.map(Math.abs));
      gradient.forEach((value, i) => {
        assert.ok(Math.abs(value - expected[index]![i]!) <= 1e-4 * size + 1e-8);
      });
    }
  },
});

Deno.test({
  name: "gradients by matrices, summed with weights, are those by their gains",
  ...needsWebGpu,
  async fn() {
    for (const config of [llama, deviceConfigs["gpt2"]!, deviceConfigs["gemma"]!]) {
      const { trainer, compressed } = await openTrainer(config);
      const at = trainablesNear(config, compressed, 3);
      const { loss, gradients, weights } = await trainer.step(chunks, at, {
        weightGradients: true,
      });
      assert.ok(Math.abs((await trainer.step(chunks, at)).loss / loss - 1) < 1e-6);
      for (const [name, { rows, columns }] of gradients.gains) {
        const { data } = compressed.get(name)!;
        const gain = at.gains.get(name)!;
        const size = greatest(rows.map(Math.abs));
        rows.forEach((value, row) => {
          let sum = 0;
          columns.forEach((_, column) => {
            const place = row * columns.length + column;
            sum += weights!.get(name)![place]! * data[place]! / gain.rows[row]!;
          });
          assert.ok(Math.abs(value - sum) <= 1e-4 * size + 1e-7, `${name}: ${value}, not ${sum}`);
        });
      }
      await trainer.close();
    }
  },
});

Deno.test({
  name: "a layer takes at most 80 dispatches of a training step, and only gradients come back",
  ...needsWebGpu,
  async fn() {
    const counts = [];
    for (const layers of [2, 5]) {
      const config = { ...llama, num_hidden_layers: layers };
      const { options } = optionsOf(config);
      const device = await openDevice();
      const trainer = await openDeviceTrainer(options, () => Promise.resolve(device));
      const at = startTrainables(options.model, options.compressed);
      assert.ok(trainer !== undefined);
      await trainer.step(chunks, at);
      const before = { ...device.counts };
      await trainer.step(chunks.map((chunk) => chunk.slice()), at);
      const { dispatches, bytesRead, bytesSent } = device.counts;
      const values = arraysOf(at).reduce((sum, { length }) => sum + length, 0);
      counts.push(dispatches - before.dispatches);
      assert.ok(bytesRead - before.bytesRead <= 4 * 2 * values);
      const embedded = 4 * 2 * 3 * length * 48;
      assert.ok(bytesSent - before.bytesSent <= 4 * 2 * values + embedded);
      await trainer.close();
    }
    const each = (counts[1]! - counts[0]!) / 3;
    assert.ok(each <= 80, `${each}`);
  },
});

Deno.test({
  name: "models that our programs do not know are trained by tfjs, and a step can be stopped",
  ...needsWebGpu,
  async fn() {
    const { options } = optionsOf({ ...llama, intermediate_size: 70 });
    assert.equal(await openDeviceTrainer(options), undefined);
    const losses = [];
    for (const backend of ["wasm", "webgpu"] as const) {
      const trainer = await createTrainer(backend, options);
      losses.push(await trainer.loss(chunks, startTrainables(options.model, options.compressed)));
      await trainer.close();
    }
    assert.ok(Math.abs(losses[1]! / losses[0]! - 1) < 1e-5);
    const { trainer, compressed } = await openTrainer(llama);
    const signal = AbortSignal.abort(new Error("stopped"));
    const at = trainablesNear(llama, compressed, 3);
    await assert.rejects(trainer.step(chunks, at, { signal }), /stopped/);
    await trainer.close();
  },
});
