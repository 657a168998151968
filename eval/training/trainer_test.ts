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

/**
 * Compares gradients by matrices with those by their gains, of which they are sums, and with the slope of
 * the loss along a random direction through all matrices.
 */
async function checkWeightGradients(
  trainer: Trainer,
  { at, chunks, options: { compressed } }: ReturnType<typeof problem>,
): Promise<void> {
  const { loss, gradients, weights } = await trainer.step(chunks, at, { weightGradients: true });
  const without = await trainer.step(chunks, at);
  assert.equal(without.weights, undefined);
  assert.ok(Math.abs(without.loss / loss - 1) < 1e-5);
  assert.deepEqual(new Set(weights!.keys()), new Set(at.gains.keys()));
  const random = createRandom(3);
  const directions = new Map<string, Float32Array>();
  let slope = 0, norm = 0;
  for (const [name, gradient] of weights!) {
    const { data } = compressed.get(name)!;
    const { rows, columns } = at.gains.get(name)!;
    const own = gradients.gains.get(name)!;
    const sums = { rows: rows.map(() => 0), columns: columns.map(() => 0) };
    gradient.forEach((value, place) => {
      const row = Math.floor(place / columns.length), column = place % columns.length;
      sums.rows[row]! += value * data[place]! / rows[row]!;
      sums.columns[column]! += value * data[place]! / columns[column]!;
    });
    for (const side of ["rows", "columns"] as const) {
      const size = Math.hypot(...own[side]);
      const apart = Math.hypot(...own[side].map((value, i) => value - sums[side][i]!));
      assert.ok(apart <= 1e-3 * size + 1e-6, `${side} of ${name}: ${apart} of ${size}`);
    }
    const direction = data.map((value) => Math.abs(value) * random.normal());
    direction.forEach((value, i) => slope += value * gradient[i]!);
    norm += direction.reduce((sum, value) => sum + value * value, 0);
    directions.set(name, direction);
  }
  const distance = 0.02;
  const lossAt = async (moved: number) => {
    trainer.replaceWeights!(
      new Map(
        directions.entries().map(([name, direction]) => {
          const { data } = compressed.get(name)!;
          return [name, data.map((value, i) => value + moved / Math.sqrt(norm) * direction[i]!)];
        }),
      ),
    );
    return await trainer.loss(chunks, at);
  };
  const found = (await lossAt(distance) - await lossAt(-distance)) / (2 * distance);
  const expected = slope / Math.sqrt(norm);
  const size = Math.hypot(...weights!.values().map((gradient) => Math.hypot(...gradient)));
  assert.ok(Math.abs(found - expected) < 0.02 * size + 1e-6, `${found}, not ${expected} (${size})`);
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
          const isEach = engine.name === "native" || EACH.has(name);
          await checkGradients(trainer, given, isEach);
          if (isEach) await checkWeightGradients(trainer, given);
        } finally {
          await trainer.close();
        }
      },
    });
  }
}
