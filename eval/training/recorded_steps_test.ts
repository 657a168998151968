import assert from "node:assert";
import { describeModel } from "../architectures/registry.ts";
import {
  architectureCases,
  architectureTokens,
  formulaWeights,
} from "../testdata/architecture_models.ts";
import recorded from "../testdata/training_steps.json" with { type: "json" };
import { needsNative } from "../testdata/needs_native.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import { NativeTrainer } from "./native_trainer.ts";
import { TfjsTrainer } from "./tfjs_trainer.ts";
import { startTrainables } from "./trainables.ts";
import type { Trainables, Trainer, TrainerOptions } from "./trainer.ts";

const wave = (length: number, size: number, phase: number) =>
  Float32Array.from({ length }, (_, i) => 1 + size * Math.sin(i + phase));

const chunks = [0, 1].map((i) =>
  architectureTokens.slice(i * recorded.length, (i + 1) * recorded.length)
);

/** The model of a recorded step, and where it is differentiated: record_training_steps.py's formulas. */
function recordedProblem(name: string): { options: TrainerOptions; at: Trainables } {
  const { config } = architectureCases.find((one) => one.name === name)!;
  const weights = formulaWeights(config);
  const model = describeModel(config, weights.keys());
  const original = prepareWeights(model, weights, true);
  const compressed = new Map(Array.from(original, ([name, tensor]) => {
    const { data, shape } = tensor;
    const factors = wave(data.length, 0.3, 0);
    return [
      name,
      shape.length === 1 ? tensor : { ...tensor, data: data.map((x, i) => x * factors[i]!) },
    ];
  }));
  const start = startTrainables(model, compressed);
  const at = {
    gains: new Map(
      start.gains.entries().map(([name, { rows, columns }]) => [
        name,
        { rows: wave(rows.length, 0.1, 1), columns: wave(columns.length, 0.1, 2) },
      ]),
    ),
    vectors: new Map(
      start.vectors.entries().map(([name, values]) => {
        const factors = wave(values.length, 0.1, 3);
        return [name, values.map((x, i) => x * factors[i]!)];
      }),
    ),
  };
  return { options: { model, original, compressed, threads: 1 }, at };
}

function assertNear(found: Float32Array, encoded: string, name: string): void {
  const expected = new Float32Array(Uint8Array.fromBase64(encoded).buffer);
  assert.equal(found.length, expected.length, name);
  const error = Math.hypot(...found.map((x, i) => x - expected[i]!));
  assert.ok(error <= 1e-4 * (Math.hypot(...expected) + 1e-4), `${name}: ${error}`);
}

const engines: readonly [string, { ignore?: boolean }, (options: TrainerOptions) => Trainer][] = [
  ["native", needsNative, (options) => new NativeTrainer(options)],
  ["wasm", {}, (options) => new TfjsTrainer({ ...options, backend: "wasm" })],
];

for (const [engine, options, make] of engines) {
  for (const { name, loss, gradients } of recorded.cases) {
    Deno.test({
      name: `the engine ${engine} gives the loss and gradients of PyTorch: ${name}`,
      ...options,
      async fn() {
        const { options, at } = recordedProblem(name);
        const trainer = make(options);
        try {
          const found = await trainer.step(chunks, at);
          assert.ok(Math.abs(found.loss / loss - 1) < 1e-4, `${found.loss} is not ${loss}`);
          for (const [tensor, encoded] of Object.entries(gradients)) {
            const gains = found.gradients.gains.get(tensor);
            if (gains === undefined) {
              assertNear(found.gradients.vectors.get(tensor)!, encoded[0]!, tensor);
              continue;
            }
            assertNear(gains.rows, encoded[0]!, `rows of ${tensor}`);
            assertNear(gains.columns, encoded[1]!, `columns of ${tensor}`);
          }
        } finally {
          await trainer.close();
        }
      },
    });
  }
}
