import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { describeModel } from "../architectures/registry.ts";
import {
  architectureCases,
  architectureTokens,
  formulaWeights,
} from "../testdata/architecture_models.ts";
import { needsNative } from "../testdata/needs_native.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import { NativeTrainer } from "./native_trainer.ts";
import { arraysOf, mapTrainables, startTrainables } from "./trainables.ts";
import type { Trainables, Trainer, TrainerOptions } from "./trainer.ts";

/** An original, a compressed model that is a little off, and where gains and vectors stand. */
function problem(config: Record<string, unknown>) {
  const weights = formulaWeights(config);
  const model = describeModel(config, weights.keys());
  const random = createRandom(5);
  const original = prepareWeights(model, weights, true);
  const compressed = new Map(Array.from(original, ([name, tensor]) => [name, {
    ...tensor,
    data: tensor.data.map((value) => value * (1 + 0.3 * random.normal())),
  }]));
  const start = startTrainables(model, compressed);
  const at = mapTrainables(start, (values) => values.map((value) => value + 0.1 * random.normal()));
  const length = Math.min(8, model.contextLength);
  const chunks = [0, 1, 2].map((i) => architectureTokens.slice(i, i + length));
  return { options: { model, original, compressed, threads: 1 }, at, chunks };
}

/** Compares the gradient by each array with the slope of the loss along a random direction. */
async function checkGradients(
  trainer: Trainer,
  { at, chunks }: ReturnType<typeof problem>,
): Promise<void> {
  const { loss, gradients } = await trainer.step(chunks, at);
  assert.ok(Math.abs(await trainer.loss(chunks, at) / loss - 1) < 1e-5);
  const random = createRandom(9);
  const names = namesOf(at);
  const found = arraysOf(gradients);
  const largest = Math.sqrt(
    found.reduce((sum, g) => Math.max(sum, g.reduce((s, x) => s + x * x, 0)), 0),
  );
  for (const [index, gradient] of found.entries()) {
    const direction = gradient.map(() => random.normal());
    const norm = Math.hypot(...direction);
    const step = 0.02 / norm;
    const lossAt = async (factor: number) => {
      let number = 0;
      const moved = mapTrainables(
        at,
        (values) =>
          number++ === index ? values.map((x, i) => x + factor * step * direction[i]!) : values,
      );
      return await trainer.loss(chunks, moved);
    };
    const slope = (await lossAt(1) - await lossAt(-1)) / (2 * step * norm);
    const expected = gradient.reduce((sum, g, i) => sum + g * direction[i]!, 0) / norm;
    const size = Math.hypot(...gradient);
    assert.ok(
      Math.abs(slope - expected) < 0.02 * (size + 0.01 * largest) + 1e-6,
      `${names[index]}: ${slope} is not ${expected} (gradient of size ${size})`,
    );
  }
}

function namesOf({ gains, vectors }: Trainables): string[] {
  return [
    ...gains.keys().flatMap((name) => [`rows of ${name}`, `columns of ${name}`]),
    ...vectors.keys(),
  ];
}

const engines: {
  name: string;
  options: { ignore?: boolean };
  make: (o: TrainerOptions) => Trainer;
}[] = [
  { name: "native", options: needsNative, make: (options) => new NativeTrainer(options) },
];

for (const engine of engines) {
  for (const { name, config } of architectureCases) {
    Deno.test({
      name: `the gradients of the engine ${engine.name} are slopes of the loss: ${name}`,
      ...engine.options,
      async fn() {
        const given = problem(config);
        let trainer: Trainer;
        try {
          trainer = engine.make(given.options);
        } catch (error) {
          assert.match(String(error), /models cannot be tuned: they do not predict next tokens/);
          assert.notEqual(given.options.model.objective, "nextToken");
          return;
        }
        try {
          await checkGradients(trainer, given);
        } finally {
          await trainer.close();
        }
      },
    });
  }
}
