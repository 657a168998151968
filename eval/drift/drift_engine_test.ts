import assert from "node:assert";
import { describeModel } from "../architectures/registry.ts";
import { inputGroups } from "../calibration/input_groups.ts";
import type { BackendName } from "../compute/backend_names.ts";
import {
  architectureCases,
  architectureTokens,
  formulaWeights,
} from "../testdata/architecture_models.ts";
import { needsNative } from "../testdata/needs_native.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import { noDrift } from "./drift_engine.ts";
import { openDriftEngine } from "./open_drift_engine.ts";

const LENGTH = Math.floor(architectureTokens.length / 2);

/** What goes into every linear layer of a model but the head's, looked at one by one or while going on. */
async function inputsOf(
  { config }: typeof architectureCases[number],
  backend: BackendName,
  advances: boolean,
): Promise<Float32Array[]> {
  const weights = formulaWeights(config);
  const model = describeModel(config, weights.keys());
  const batches = [{ ids: architectureTokens.slice(0, 2 * LENGTH), chunks: 2 }];
  const engine = await openDriftEngine(backend, { model, batches, threads: 1 });
  try {
    const walk = engine.walk(prepareWeights(model, weights, false));
    const groups = inputGroups(model).slice(0, -1);
    const each = groups.length / model.layers.length;
    const inputs: Float32Array[] = [];
    for (const layer of model.layers.keys()) {
      const names = groups.slice(each * layer, each * (layer + 1))
        .map(({ linears }) => linears[0]!.weight);
      const seen = new Map<string, Float32Array>();
      if (!advances) {
        for (const name of names) {
          (await walk.look([name]))[0]!.forEach((x, name) => seen.set(name, x));
        }
      }
      const passed = await walk.advance(advances ? names : []);
      if (advances) passed[0]!.forEach((x, name) => seen.set(name, x));
      inputs.push(...names.map((name) => seen.get(name)!));
    }
    return inputs;
  } finally {
    await engine.close();
  }
}

function assertNear(a: readonly Float32Array[], b: readonly Float32Array[], what: string): void {
  assert.equal(a.length, b.length);
  for (const [i, values] of a.entries()) {
    assert.equal(values.length, b[i]!.length);
    values.forEach((value, at) => {
      const other = b[i]![at]!;
      assert.ok(
        Math.abs(value - other) < 2e-4 * (1 + Math.abs(value)),
        `${what}: ${value}, ${other}`,
      );
    });
  }
}

const models = architectureCases.filter(({ config }) =>
  describeModel(config, formulaWeights(config).keys()).objective === "nextToken"
);

Deno.test("a layer's inputs are the same looked at one by one and in passing", async () => {
  for (const model of models) {
    const passing = await inputsOf(model, "wasm", true);
    assertNear(await inputsOf(model, "wasm", false), passing, model.name);
  }
});

Deno.test("they are the same on the native engine", needsNative, async () => {
  for (const model of models) {
    const wasm = await inputsOf(model, "wasm", true);
    assertNear(await inputsOf(model, "native", true), wasm, model.name);
    assertNear(await inputsOf(model, "native", false), wasm, model.name);
  }
});

for (const backend of ["wasm", "native"] as const) {
  Deno.test(
    `products are right on ${backend}`,
    backend === "native" ? needsNative : {},
    async () => {
      const [{ config }] = models as [typeof models[number]];
      const model = describeModel(config, formulaWeights(config).keys());
      const engine = await openDriftEngine(backend, { model, batches: [], threads: 1 });
      const z = Float32Array.of(1, 2, 3, 4, 5, 6), x = Float32Array.of(2, 2, 3, 5, 5, 4);
      const sums = noDrift(2);
      await engine.add(sums, x, z, 2);
      await engine.add(sums, x, z, 2);
      assert.deepEqual([...sums.moment], [70, 88, 88, 112]);
      // X - Z is [1 0; 0 1; 0 -2].
      assert.deepEqual([...sums.drift], [2, -14, 4, -16]);
      const size = { rows: 3, depth: 2, columns: 1 };
      const shared = new Float32Array(new SharedArrayBuffer(8));
      shared.set([1, -1]);
      assert.deepEqual([...await engine.multiply(z, shared, size)], [-1, -1, -1]);
      await engine.close();
    },
  );
}
