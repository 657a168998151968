import assert from "node:assert";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../kan/numeric/random.ts";
import type { ModelConfig } from "../architectures/config.ts";
import type { LinearDescription } from "../architectures/description.ts";
import { describeModel } from "../architectures/registry.ts";
import { useBackend } from "../compute/backend.ts";
import { createLanguageModel } from "../generation/language_model.ts";
import { ParameterStore } from "../weights/parameter_store.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import { layerLinears } from "../weights/expected_tensors.ts";
import { architectureCases } from "../testdata/architecture_models.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { COUNT_POWER } from "../layers/token_counts.ts";
import { calibrateChunks } from "./calibrate_chunks.ts";
import { inputGroups } from "./input_groups.ts";
import { outputBlocks } from "./output_blocks.ts";
import { lossGradient } from "./sampled_loss.ts";
import { expandTriangle, triangleSize } from "../../hierarchy/matrix/triangle.ts";

const vocabulary = 9;
const llama = {
  hidden_size: 8,
  intermediate_size: 12,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  max_position_embeddings: 8,
  vocab_size: vocabulary,
};

const configs: ModelConfig[] = [
  {
    model_type: "gpt2",
    n_embd: 8,
    n_head: 2,
    n_layer: 2,
    n_positions: 8,
    vocab_size: vocabulary,
  },
  { ...llama, model_type: "llama" },
  { ...llama, model_type: "mistral", sliding_window: 2 },
  { ...llama, model_type: "qwen3", head_dim: 4 },
  { ...llama, model_type: "gpt_neox", rotary_pct: 0.5, num_attention_heads: 2 },
];

/** Token ids of so many sequences. */
interface Text {
  readonly ids: Int32Array;
  readonly batch: number;
}

const text: Text = { ids: Int32Array.of(3, 1, 4, 1, 5, 2, 6, 5), batch: 2 };
/** Slopes of all outputs take a run for each token. */
const shortText: Text = { ids: text.ids.slice(0, 4), batch: 1 };
const fisherSeed = 11;
/** Joined or separate queries, keys and values; the attention's output; up and gate; down. */
const GROUPS_OF_A_LAYER = 4;

for (const config of configs) {
  Deno.test(`second moments of gradients of ${config.model_type} agree with finite differences`, async () => {
    await useBackend("wasm");
    const weights = randomStateDict(config, 2);
    const { description, moments, logitSums } = await calibrated(config, weights, text);
    const { blocks, blockTriangles, groups, triangles } = moments;
    const loss = sampledLossOf(config, weights, text);
    const ofWeight = new Map<string, { energies: number[]; linear: LinearDescription }>();
    const inputs = inputsOf(config, weights);
    for (const [index, { size, linears }] of groups.entries()) {
      // The energy of each token's gradient, of the layer's outputs or of the expected logits'.
      const isHead = linears[0]!.weight === description.head.weight;
      const energies = isHead
        ? Array.from(text.ids, (_, t) => loss.variance(t))
        : loss.energies(linears);
      for (const linear of linears) ofWeight.set(linear.weight, { energies, linear });
      const total = sum(energies);
      assert.ok(Math.abs(moments.energies[index]! / total - 1) < 0.02, linears[0]!.weight);
      const counts = sum(energies.map((e) => e ** COUNT_POWER));
      assert.ok(Math.abs(moments.counts[index]! / counts - 1) < 0.02, linears[0]!.weight);
      if (index >= GROUPS_OF_A_LAYER && !isHead) continue;
      const rows = inputs.get(linears[0]!.weight)!;
      const found = expandTriangle(triangles[index]!, size);
      const expected = (i: number, j: number) =>
        sum(rows.map((x, token) => energies[token]! ** COUNT_POWER * x[i]! * x[j]!));
      const i = size - 1, j = size >> 1;
      const scale = Math.sqrt(expected(i, i) * expected(j, j));
      assert.ok(Math.abs(found[i * size + i]! / expected(i, i) - 1) < 0.03);
      assert.ok(Math.abs(found[i * size + j]! - expected(i, j)) < 0.03 * scale);
    }
    for (const [index, { weight, size }] of blocks.slice(0, -1).entries()) {
      const found = expandTriangle(blockTriangles[index]!, size);
      const a = size - 1, b = size >> 1;
      const { energies, linear } = ofWeight.get(weight)!;
      const slopes = [a, b].map((output) => loss.slopes(linear)[output]!);
      for (const [left, right] of [[0, 0], [0, 1]] as const) {
        const expected = sum(
          slopes[left]!.map((x, t) => x * slopes[right]![t]! * energies[t]! ** (COUNT_POWER - 1)),
        );
        const value = found[[a, b][left]! * size + [a, b][right]!]!;
        const scale = Math.sqrt(found[a * (size + 1)]! * found[b * (size + 1)]!);
        assert.ok(
          Math.abs(value - expected) < 0.02 * (left === right ? expected : scale) + 1e-5,
          `${weight}: ${value} instead of ${expected}`,
        );
      }
    }
    // Of the embedding's gradients the trace is what they count.
    const trace = triangleTrace(blockTriangles.at(-1)!, description.hiddenSize);
    assert.ok(Math.abs(trace / moments.counts.at(-1)! - 1) < 1e-4);
    assert.equal(logitSums!.length, vocabulary);
  });
}

for (const { name, config } of architectureCases) {
  if (describeModel(config, []).objective !== "nextToken") continue;
  Deno.test(`gradients of the first layer agree with finite differences: ${name}`, async () => {
    await useBackend("wasm");
    const small = { ...config, vocab_size: vocabulary };
    const weights = randomStateDict(small, 2);
    const { description, moments } = await calibrated(small, weights, shortText);
    const { blocks, blockTriangles, groups } = moments;
    const loss = sampledLossOf(small, weights, shortText);
    const first = new Set(layerLinears(description.layers[0]!).map(({ weight }) => weight));
    const checked = new Set<string>();
    for (const { linears } of groups) {
      if (!first.has(linears[0]!.weight)) continue;
      const energies = loss.energies(linears);
      for (const linear of linears) {
        const { weight } = linear;
        const index = blocks.findIndex((block) => block.weight === weight);
        const { size } = blocks[index]!;
        const output = (size >> 1) - 1;
        const found = expandTriangle(blockTriangles[index]!, size)[output * (size + 1)]!;
        const expected = sum(
          energies.map((e, t) =>
            e > 0 ? loss.slopes(linear)[output]![t]! ** 2 * e ** (COUNT_POWER - 1) : 0
          ),
        );
        // A dead unit has no gradient.
        assert.ok(Math.abs(found - expected) < 0.03 * expected + 1e-5, `${weight}: ${found}`);
        checked.add(weight);
      }
    }
    assert.deepEqual(checked, first);
  });
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function triangleTrace(triangle: ArrayLike<number>, size: number): number {
  return sum(Array.from({ length: size }, (_, i) => triangle[triangleSize(i + 1) - 1]!));
}

/** The sums that one run forward and backward adds to. */
async function calibrated(
  config: ModelConfig,
  weights: ReturnType<typeof randomStateDict>,
  { ids, batch }: Text,
) {
  const description = describeModel(config, weights.keys());
  const parameters = new ParameterStore(prepareWeights(description, weights, false), false);
  const blocks = outputBlocks(description);
  const groups = inputGroups(description);
  const moments = {
    groups,
    triangles: groups.map(({ size }) => new Float64Array(triangleSize(size))),
    energies: new Float64Array(groups.length + 1),
    counts: new Float64Array(groups.length + 1),
    turns: new Int32Array(new SharedArrayBuffer(4 * groups.length)),
    blocks,
    blockTriangles: blocks.map(({ size }) => new Float64Array(triangleSize(size))),
    blockTurns: new Int32Array(new SharedArrayBuffer(4 * blocks.length)),
  };
  const before = tf.memory().numTensors;
  const logitSums = await calibrateChunks({ description, parameters }, moments, {
    job: 0,
    ids,
    batch,
    labelSeed: fisherSeed,
  });
  assert.equal(tf.memory().numTensors, before);
  return { description, moments, logitSums };
}

/** What each linear layer is given, token by token. */
function inputsOf(config: ModelConfig, weights: ReturnType<typeof randomStateDict>) {
  const inputs = new Map<string, number[][]>();
  const tap = {
    input: (name: string, x: tf.Tensor2D) => void inputs.set(name, x.arraySync()),
  };
  createLanguageModel(config, weights).logits(text.ids, text.batch, { tap }).dispose();
  return inputs;
}

/** The loss with the labels that the calibration draws, and its slopes by central differences. */
function sampledLossOf(
  config: ModelConfig,
  weights: ReturnType<typeof randomStateDict>,
  { ids, batch }: Text,
) {
  const model = createLanguageModel(config, weights);
  const random = createRandom(Math.imul(fisherSeed, 0x9e3779b1));
  const logits = model.logits(ids, batch).dataSync<"float32">();
  const variances: number[] = [];
  const labels = Array.from(ids, (_, token) => {
    const row = logits.slice(token * vocabulary, (token + 1) * vocabulary);
    const largest = Math.max(...row), total = row.reduce((s, x) => s + Math.exp(x - largest), 0);
    const shares = Array.from(row, (x) => Math.exp(x - largest) / total);
    variances.push(shares.reduce((sum, p) => sum + p * (1 - p), 0));
    lossGradient(row, new Float64Array(vocabulary), random);
    return row.findIndex((value) => value < 0);
  });
  const step = 0.01;
  /** All slopes of a layer's outputs, `[outputs, tokens]`, from one run over changed copies of the text. */
  const slopesOf = ({ weight: name, outputs }: LinearDescription): number[][] => {
    const tokens = ids.length, copies = 2 * outputs * tokens;
    const tap = {
      output(weight: string, y: tf.Tensor2D): tf.Tensor2D {
        if (weight !== name) return y;
        const values = y.dataSync<"float32">();
        for (let copy = 0; copy < copies; copy++) {
          const place = copy >> 1, token = Math.floor(place / outputs), output = place % outputs;
          values[(copy * tokens + token) * outputs + output]! += copy & 1 ? -step : step;
        }
        return tf.tensor2d(values, y.shape);
      },
    };
    const repeated = Int32Array.from({ length: copies * tokens }, (_, i) => ids[i % tokens]!);
    const values = model.logits(repeated, copies * batch, { tap }).dataSync<"float32">();
    const losses = Array.from({ length: copies }, (_, copy) =>
      sum(labels.map((label, token) => {
        const row = copy * tokens + token;
        const part = values.subarray(row * vocabulary, (row + 1) * vocabulary);
        return Math.log(part.reduce((s, x) => s + Math.exp(x), 0)) - part[label]!;
      })));
    return Array.from({ length: outputs }, (_, output) =>
      Array.from(ids, (_, token) => {
        const copy = 2 * (token * outputs + output);
        return (losses[copy]! - losses[copy + 1]!) / (2 * step);
      }));
  };
  const known = new Map<string, number[][]>();
  const slopes = (linear: LinearDescription) => {
    const found = known.get(linear.weight) ?? slopesOf(linear);
    known.set(linear.weight, found);
    return found;
  };
  return {
    variance: (token: number) => variances[token]!,
    slopes,
    /** Of each token, the squared gradient by the outputs of some layers. */
    energies: (linears: readonly LinearDescription[]) =>
      Array.from(
        ids,
        (_, token) =>
          sum(linears.flatMap((linear) => slopes(linear).map((row) => row[token]! ** 2))),
      ),
  };
}

Deno.test("lossGradient() gives softmax minus the label's indicator, labels drawn by softmax", () => {
  const random = createRandom(1);
  const probabilities = [0.1, 0.6, 0.3];
  const counts = [0, 0, 0];
  for (let i = 0; i < 6000; i++) {
    const logits = Float32Array.from(probabilities, (p) => Math.log(p) - 5);
    const fisher = new Float64Array(3);
    lossGradient(logits, fisher, random);
    const label = logits.findIndex((value) => value < 0);
    counts[label]!++;
    probabilities.forEach((p, j) => {
      assert.ok(Math.abs(logits[j]! - p + (j === label ? 1 : 0)) < 1e-6);
      assert.ok(Math.abs(fisher[j]! - p * (1 - p)) < 1e-6);
    });
  }
  probabilities.forEach((p, j) => assert.ok(Math.abs(counts[j]! / 6000 - p) < 0.02));
});

Deno.test("lossGradient() of scaled and capped logits is that by the head's product", () => {
  const settings = { logitScale: 0.7, logitSoftCap: 1.5 };
  const product = [0.3, -1.2, 2.1, 0.9];
  const finish = (x: number) =>
    settings.logitSoftCap * Math.tanh(settings.logitScale * x / settings.logitSoftCap);
  const logits = Float32Array.from(product, finish);
  const fisher = new Float64Array(4);
  const energy = lossGradient(logits, fisher, createRandom(3), settings);
  const label = logits.findIndex((value) => value < 0);
  const lossAt = (x: readonly number[], token: number) =>
    Math.log(x.reduce((sum, value) => sum + Math.exp(finish(value)), 0)) - finish(x[token]!);
  const slope = (output: number, token: number) =>
    (lossAt(product.with(output, product[output]! + 1e-5), token) -
      lossAt(product.with(output, product[output]! - 1e-5), token)) / 2e-5;
  const total = product.reduce((sum, x) => sum + Math.exp(finish(x)), 0);
  product.forEach((_, output) => {
    assert.ok(Math.abs(logits[output]! - slope(output, label)) < 1e-5);
    // The mean square over all labels.
    const square = product.reduce(
      (sum, x, token) => sum + Math.exp(finish(x)) / total * slope(output, token) ** 2,
      0,
    );
    assert.ok(Math.abs(fisher[output]! - square) < 1e-5);
  });
  assert.ok(Math.abs(energy - fisher.reduce((sum, value) => sum + value)) < 1e-6);
});
