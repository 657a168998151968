import type { ModelConfig } from "../architectures/config.ts";
import { calibrate } from "../calibration/calibrate.ts";
import { useBackend } from "../compute/backend.ts";
import { generateTokens } from "../generation/generate.ts";
import { createLanguageModel } from "../generation/language_model.ts";
import { evaluateLanguageModel } from "../measure/evaluate.ts";
import { describeModel } from "../architectures/registry.ts";
import { openDeviceTrainer } from "../training/device_trainer.ts";
import { arraysOf, startTrainables } from "../training/trainables.ts";
import type { Trainer, TrainerOptions } from "../training/trainer.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import { randomStateDict } from "./random_model.ts";

/** Figures of random models, and what calibration finds, on a backend: to be run in a page too. */
export async function figuresOn(
  backend: "wasm" | "webgpu",
  config: ModelConfig,
): Promise<readonly number[]> {
  const tokens = Int32Array.from({ length: 100 }, (_, i) => 11 * i % 50);
  const common = { config, tokens, contextLength: 30, threads: 1, backend };
  const original = randomStateDict(config, 1);
  const compressed = randomStateDict(config, 2);
  const { perplexity, klDivergence } = await evaluateLanguageModel({
    ...common,
    original,
    compressed,
  });
  const { linears } = await calibrate({ ...common, weights: original });
  return [
    perplexity.original,
    perplexity.compressed!,
    klDivergence!.mean,
    ...[...linears.values()].flatMap(({ fisher }) => [...fisher!]),
  ];
}

/** What a random model writes on a backend: to be run in a page too. */
export async function tokensOn(
  backend: "wasm" | "webgpu",
  config: ModelConfig,
): Promise<readonly number[]> {
  await useBackend(backend);
  const model = createLanguageModel(config, randomStateDict(config, 1));
  const tokens = [];
  for await (const token of generateTokens(model, Int32Array.of(3, 1, 4), { temperature: 0 })) {
    if (tokens.push(token) === 20) break;
  }
  model.dispose();
  return tokens;
}

/** The loss of a training step, on WebGPU unless said, and its gradients: to be run in a page too. */
export async function gradientsOf(
  config: ModelConfig,
  open: (options: TrainerOptions) => Promise<Trainer | undefined> = openDeviceTrainer,
): Promise<readonly number[]> {
  const [original, compressed] = [randomStateDict(config, 1), randomStateDict(config, 2)];
  const model = describeModel(config, original.keys());
  const options = {
    model,
    original: prepareWeights(model, original, true),
    compressed: prepareWeights(model, compressed, true),
    threads: 1,
  };
  const trainer = await open(options);
  const chunks = [0, 1].map((chunk) =>
    Int32Array.from({ length: 20 }, (_, i) => (11 * i + 7 * chunk) % 50)
  );
  const at = startTrainables(model, options.compressed);
  const { loss, gradients } = await trainer!.step(chunks, at);
  await trainer!.close();
  return [loss, ...arraysOf(gradients).flatMap((values) => [...values])];
}

Object.assign(globalThis, { figuresOn, tokensOn, gradientsOf });
