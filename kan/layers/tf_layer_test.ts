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
  assert.throws(() => createKanDense({ units: 1 }).apply(tf.zeros([2, 3, 4])), /\[batch, inputs\]/);
});
