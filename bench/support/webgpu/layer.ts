import type { ModelConfig } from "../../../eval/architectures/config.ts";
import { describeModel } from "../../../eval/architectures/registry.ts";
import type { Device } from "../../../eval/webgpu/device.ts";
import { layerSteps } from "../../../eval/webgpu/layer_steps.ts";
import { sendWeights } from "../../../eval/webgpu/model_weights.ts";
import { rotationTables } from "../../../eval/webgpu/rotation.ts";
import { makeWorkspace } from "../../../eval/webgpu/workspace.ts";
import { prepareWeights } from "../../../eval/weights/prepared_weights.ts";
import { randomWeights } from "./random_weights.ts";
import { say } from "./report.ts";
import { timeStep } from "./time_steps.ts";

/** The programs of a layer with rotated queries and keys, in order. */
const names = [
  "norm",
  "projection",
  "place queries",
  "place keys",
  "scores",
  "softmax",
  "mix",
  "output",
  "norm",
  "gate and up",
  "activation",
  "down",
];

/** Prints how long each program of one layer takes with a job of `tokens` tokens. */
export async function timeLayer(
  device: Device,
  config: ModelConfig,
  tokens: number,
  length: number,
): Promise<void> {
  const one = { ...config, num_hidden_layers: 1, vocab_size: 64 };
  const weights = randomWeights(one, 4);
  const model = describeModel(one, weights.keys());
  const buffers = sendWeights(device, model, prepareWeights(model, weights, false));
  const workspace = makeWorkspace(device, model, tokens, length);
  const states = Float32Array.from({ length: tokens * model.hiddenSize }, (_, i) => Math.sin(i));
  device.write(workspace.states, states);
  const sequences = { batch: tokens / length, length };
  const run = { device, workspace, sequences, tables: rotationTables(device) };
  const steps = layerSteps(run, model.layers[0]!, buffers.layers[0]!);
  const seconds: number[] = [];
  for (const step of steps) seconds.push(await timeStep(device, step));
  const texts = seconds.map((time, index) => `${names[index]} ${(1e3 * time).toFixed(3)}`);
  const total = seconds.reduce((sum, time) => sum + time, 0);
  say(
    `one layer of ${tokens} tokens in chunks of ${length}, ms: ${texts.join(", ")}; ` +
      `together ${(1e3 * total).toFixed(2)}`,
  );
  workspace.destroy();
  for (const buffer of buffers.buffers) buffer.destroy();
}
