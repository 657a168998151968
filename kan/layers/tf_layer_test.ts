import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import assert from "node:assert";
import { createChebyshev } from "../bases/global_bases.ts";
import { KanLayer } from "./kan_layer.ts";
import { createKanLayerModel } from "../model/layer_model.ts";
import { createRandom } from "../numeric/random.ts";
import { createKanDense } from "./tf_layer.ts";
import { uniformGrid } from "../bases/grid.ts";

Deno.test("a layer of tf.layers computes what a KanLayer of the same seed computes", async () => {
  await tf.setBackend("wasm");
  const layer = createKanDense({ units: 3, seed: 5, grid: { intervals: 4 } });
  const x = tf.tensor2d([[0.2, -0.7], [0.9, 0.1]]);
  const actual = (layer.apply(x) as tf.Tensor).dataSync();
  const same = KanLayer.fromModel(createKanLayerModel({
    inputDim: 2,
    outputDim: 3,
    grid: uniformGrid({ intervals: 4 }),
    initialization: "efficient-kan",
    random: createRandom(5),
  }));
  assert.deepEqual(actual, same.apply(x).dataSync());
  same.dispose();
});

Deno.test("a sequential model with KAN layers learns classes, and is saved and loaded", async () => {
  await tf.setBackend("wasm");
  const random = createRandom(3);
  const points = Array.from(
    { length: 200 },
    () => [2 * random.uniform() - 1, 2 * random.uniform() - 1],
  );
  const labels = points.map(([x, y]) => x! * x! + y! * y! < 0.5 ? [1, 0] : [0, 1]);
  const model = tf.sequential({
    layers: [
      createKanDense({ units: 4, inputDim: 2, seed: 1 }),
      createKanDense({ units: 2, seed: 2, base: "none", basis: createChebyshev(4).description }),
      tf.layers.softmax(),
    ],
  });
  const optimizer = tf.train.adam(0.03);
  model.compile({ optimizer, loss: "categoricalCrossentropy", metrics: ["accuracy"] });
  const [x, y] = [tf.tensor2d(points), tf.tensor2d(labels)];
  const { history } = await model.fit(x, y, {
    epochs: 25,
    batchSize: 50,
    shuffle: false,
    verbose: 0,
  });
  assert.ok(Number(history.acc!.at(-1)) > 0.93, `${history.acc!.at(-1)}`);

  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(tf.io.withSaveHandler((artifacts) => {
    saved = artifacts;
    return Promise.resolve({ modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) });
  }));
  const loaded = await tf.loadLayersModel(tf.io.fromMemory(saved!));
  const outputs = [model, loaded].map((each) => (each.predict(x) as tf.Tensor).dataSync());
  assert.deepEqual(outputs[1], outputs[0]);
});

Deno.test("impossible shapes are refused", () => {
  assert.throws(() => createKanDense({ units: 0 }), /units/);
  assert.throws(() => createKanDense({ units: 1 }).apply(tf.zeros([2])), /\[batch, ..., inputs\]/);
});

Deno.test("samples of more dimensions are the same as their rows", async () => {
  await tf.setBackend("wasm");
  const layer = createKanDense({ units: 4, seed: 3, inputShape: [5, 2] });
  const model = tf.sequential({ layers: [layer] });
  assert.deepEqual(model.outputShape, [null, 5, 4]);
  const x = tf.randomUniform([3, 5, 2], -1, 1, "float32", 1);
  const rows = createKanDense({ units: 4, seed: 3, inputDim: 2 });
  const expected = rows.apply(x.reshape([15, 2])) as tf.Tensor;
  const outputs = model.predict(x) as tf.Tensor;
  assert.deepEqual(outputs.shape, [3, 5, 4]);
  const differences = outputs.reshape([15, 4]).sub(expected).abs().max().dataSync()[0]!;
  assert.ok(differences < 1e-6, `${differences}`);
  model.compile({ optimizer: "adam", loss: "meanSquaredError" });
  await model.fit(x, tf.zeros([3, 5, 4]), { epochs: 1, verbose: 0 });
});

Deno.test("layer norm makes samples that differ in scale and shift alike, and is trained", async () => {
  await tf.setBackend("wasm");
  const model = tf.sequential({
    layers: [createKanDense({ units: 2, inputDim: 3, layerNorm: true })],
  });
  const x = tf.tensor2d([[0.1, -0.4, 0.7], [100.2, 99.2, 101.4]]); // the same, doubled and moved
  const [first, second] = tf.unstack(model.predict(x) as tf.Tensor);
  const difference = first!.sub(second!).abs().max().dataSync()[0]!;
  assert.ok(difference < 1e-3, `${difference}`);
  assert.equal(model.trainableWeights.length, 5);
  // Against normalization by hand.
  const rows = createKanDense({ units: 2, inputDim: 3 });
  const values = [0.1, -0.4, 0.7], mean = 0.4 / 3;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3;
  const normalized = values.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
  const expected = (rows.apply(tf.tensor2d([normalized])) as tf.Tensor).dataSync();
  first!.dataSync().forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-5));
  const before = model.getWeights().map((weight) => weight.dataSync().slice());
  model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  await model.fit(x, tf.ones([2, 2]), { epochs: 1, verbose: 0 });
  model.getWeights().forEach((weight, i) => assert.notDeepEqual(weight.dataSync(), before[i]));
  const copy = await tf.models.modelFromJSON(
    JSON.parse(model.toJSON() as string) as Parameters<typeof tf.models.modelFromJSON>[0],
  );
  assert.equal(copy.trainableWeights.length, 5);
});
