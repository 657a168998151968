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
import { TfjsTrainer } from "./tfjs_trainer.ts";
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

/**
 * Compares gradients with slopes of the loss along random directions: one through everything or, with
 * `each`, one through each array.
 */
async function checkGradients(
  trainer: Trainer,
  { at, chunks }: ReturnType<typeof problem>,
  each: boolean,
): Promise<void> {
  const { loss, gradients } = await trainer.step(chunks, at);
  assert.ok(Math.abs(await trainer.loss(chunks, at) / loss - 1) < 1e-5);
  const random = createRandom(9);
  const found = arraysOf(gradients);
  const sizes = found.map((gradient) => Math.hypot(...gradient));
  const largest = Math.max(...sizes);
  const check = async (name: string, moves: (index: number) => boolean) => {
    const directions = found.map((gradient, index) =>
      gradient.map(() => moves(index) ? random.normal() : 0)
    );
    const norm = Math.hypot(...directions.flatMap((values) => [...values]));
    const lossAt = async (distance: number) => {
      let number = 0;
      const moved = mapTrainables(at, (values) => {
        const direction = directions[number++]!;
        return values.map((x, i) => x + distance / norm * direction[i]!);
      });
      return await trainer.loss(chunks, moved);
    };
    const slope = (await lossAt(0.02) - await lossAt(-0.02)) / 0.04;
    let expected = 0, size = 0;
    found.forEach((gradient, index) => {
      if (moves(index)) size += sizes[index]!;
      gradient.forEach((g, i) => expected += g * directions[index]![i]! / norm);
    });
    assert.ok(
      Math.abs(slope - expected) < 0.02 * (size + 0.01 * largest) + 1e-6,
      `${name}: ${slope} is not ${expected} (gradient of size ${size})`,
    );
  };
  if (!each) return await check("everything", () => true);
  for (const [index, name] of namesOf(at).entries()) await check(name, (other) => other === index);
}

function namesOf({ gains, vectors }: Trainables): string[] {
  return [
    ...gains.keys().flatMap((name) => [`rows of ${name}`, `columns of ${name}`]),
    ...vectors.keys(),
  ];
}

/** Models of which the slower engine's gradients are all looked at apart. */
const EACH = new Set(["gpt2", "gemma2", "falcon, grouped"]);

const engines: {
  name: string;
  options: { ignore?: boolean };
  make: (o: TrainerOptions) => Trainer;
}[] = [
  { name: "native", options: needsNative, make: (options) => new NativeTrainer(options) },
  {
    name: "wasm",
    options: {},
    make: (options) => new TfjsTrainer({ ...options, backend: "wasm" }),
  },
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
          await checkGradients(trainer, given, engine.name === "native" || EACH.has(name));
        } finally {
          await trainer.close();
        }
      },
    });
  }
}
