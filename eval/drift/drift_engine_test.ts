import assert from "node:assert";
import { describeModel } from "../architectures/registry.ts";
import { inputGroups } from "../calibration/input_groups.ts";
import { useBackend } from "../compute/backend.ts";
import type { BackendName } from "../compute/backend_names.ts";
import { hiddenStates } from "../model/forward.ts";
import {
  architectureCases,
  architectureTokens,
  formulaWeights,
} from "../testdata/architecture_models.ts";
import { needsNative } from "../testdata/needs_native.ts";
import { ParameterStore } from "../weights/parameter_store.ts";
import { type PreparedWeights, prepareWeights } from "../weights/prepared_weights.ts";
import type { LinearInput } from "./drift_engine.ts";
import type { DriftHalves } from "./drift_sums.ts";
import { openDriftEngine } from "./open_drift_engine.ts";

const LENGTH = Math.floor(architectureTokens.length / 4);
const IDS = architectureTokens.slice(0, 4 * LENGTH);
/** Chunks of both halves, and batches of more than one. */
const BATCHES = [
  { ids: IDS.slice(0, 2 * LENGTH), chunks: 2 },
  { ids: IDS.slice(2 * LENGTH, 3 * LENGTH), chunks: 1 },
  { ids: IDS.slice(3 * LENGTH), chunks: 1 },
];

type Case = typeof architectureCases[number];
const models = architectureCases.filter(({ config }) =>
  describeModel(config, formulaWeights(config).keys()).objective === "nextToken"
);

/** A model and another whose matrices are somewhat smaller. */
function weightsOf({ config }: Case) {
  const weights = formulaWeights(config);
  const model = describeModel(config, weights.keys());
  const original = prepareWeights(model, weights, true);
  const quantized = new Map(Array.from(original, ([name, tensor]) => {
    if (tensor.shape.length < 2) return [name, tensor];
    return [name, { ...tensor, data: tensor.data.map((value) => 0.9 * value) }];
  }));
  return { model, original, quantized };
}

/** What goes into the first map of each group but the head's, by a plain pass over some chunks. */
async function plainInputs(
  { model }: ReturnType<typeof weightsOf>,
  weights: PreparedWeights,
  { ids, chunks }: typeof BATCHES[number],
): Promise<Map<string, Float32Array>> {
  await useBackend("wasm");
  const inputs = new Map<string, Float32Array>();
  const parameters = new ParameterStore(weights, true);
  const input = (weight: string, x: { dataSync(): ArrayLike<number> }) =>
    void inputs.set(weight, Float32Array.from(x.dataSync()));
  hiddenStates(model, parameters, ids, chunks, { tap: { input } }).dispose();
  parameters.dispose();
  return inputs;
}

/** Sums by their definition. */
async function expectedSums(
  given: ReturnType<typeof weightsOf>,
  inputs: readonly LinearInput[],
): Promise<DriftHalves[]> {
  const all = inputs.map(({ size }) => {
    const none = () => ({
      moment: new Float64Array(size ** 2),
      drift: new Float64Array(size ** 2),
    });
    return [none(), none()] as const;
  });
  for (const [b, batch] of BATCHES.entries()) {
    const theirs = await plainInputs(given, given.original, batch);
    const ours = await plainInputs(given, given.quantized, batch);
    for (const [at, { weight, size }] of inputs.entries()) {
      const x = theirs.get(weight)!, z = ours.get(weight)!;
      const { moment, drift } = all[at]![b % 2]!;
      for (let token = 0; token < z.length; token += size) {
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++) {
            moment[i * size + j]! += z[token + i]! * z[token + j]!;
            drift[i * size + j]! += z[token + i]! * (x[token + j]! - z[token + j]!);
          }
        }
      }
    }
  }
  return all;
}

/** Sums by an engine, to which matrices are given when what goes into them has been compared. */
async function sumsOf(
  { model, original, quantized }: ReturnType<typeof weightsOf>,
  groups: readonly { readonly input: LinearInput; readonly weights: readonly string[] }[],
  backend: BackendName,
  threads: number,
): Promise<DriftHalves[]> {
  const given = new Map(original);
  const give = (name: string) => given.set(name, quantized.get(name)!);
  const take = (name: string) => given.set(name, original.get(name)!);
  const { tokenEmbedding, positionEmbedding } = model;
  const embeddings = [tokenEmbedding, ...(positionEmbedding ? [positionEmbedding] : [])];
  embeddings.forEach(give);
  const engine = await openDriftEngine(backend, {
    ...{ model, original, quantized: given, batches: BATCHES, threads },
  });
  try {
    const sums: DriftHalves[] = [];
    const each = groups.length / model.layers.length;
    for (const layer of model.layers.keys()) {
      const own = groups.slice(each * layer, each * (layer + 1));
      await engine.enter(own.map(({ input }) => input));
      embeddings.forEach(take);
      for (const { input, weights } of own) {
        // They are overwritten by the next.
        const [first, second] = (await engine.compare(input)).map(({ moment, drift }) => ({
          moment: moment.slice(),
          drift: drift.slice(),
        }));
        sums.push([first!, second!]);
        weights.forEach(give);
      }
      await engine.leave();
      own.flatMap(({ weights }) => weights).forEach(take);
    }
    return sums;
  } finally {
    await engine.close();
  }
}

async function assertRight(model: Case, backend: BackendName, threads: number): Promise<void> {
  const given = weightsOf(model);
  const groups = inputGroups(given.model).slice(0, -1).map(({ size, linears }) => {
    const weights = linears.map(({ weight }) => weight);
    return { input: { weight: weights[0]!, size }, weights };
  });
  const sums = await sumsOf(given, groups, backend, threads);
  const expected = await expectedSums(given, groups.map(({ input }) => input));
  for (const [at, { input: { weight, size } }] of groups.entries()) {
    for (const half of [0, 1] as const) {
      const own = sums[at]![half], right = expected[at]![half];
      const scale = right.moment.reduce((sum, value) => Math.max(sum, Math.abs(value)), 0);
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          const k = i * size + j;
          const off = Math.max(
            j > i ? 0 : Math.abs(own.moment[k]! - right.moment[k]!),
            Math.abs(own.drift[k]! - right.drift[k]!),
          );
          assert.ok(off < 2e-4 * scale, `${model.name}, ${weight}, ${half}, ${i}, ${j}: ${off}`);
        }
      }
    }
  }
}

Deno.test("inputs are compared as plain passes give them, whatever the architecture", async () => {
  for (const model of models) await assertRight(model, "wasm", 2);
});

Deno.test("they are compared on the native engine", needsNative, async () => {
  for (const model of models) await assertRight(model, "native", 1);
});

for (const backend of ["wasm", "native"] as const) {
  const needs = backend === "native" ? needsNative : {};
  Deno.test(`products are right on ${backend}, and so are fits`, needs, async () => {
    const { model, original, quantized } = weightsOf(models[0]!);
    const options = { model, original, quantized, batches: [], threads: 1 };
    const engine = await openDriftEngine(backend, options);
    try {
      const z = Float32Array.of(1, 2, 3, 4, 5, 6);
      const shared = new Float32Array(new SharedArrayBuffer(8));
      shared.set([1, -1]);
      const size = { rows: 3, depth: 2, columns: 1 };
      assert.deepEqual([...await engine.multiply(z, shared, size)], [-1, -1, -1]);
      const sums = {
        moment: Float64Array.of(2, NaN, 0, 4),
        drift: Float64Array.of(2, 4, 8, 4),
      };
      const [first, second] = await engine.fit([
        { sums: [sums], size: 2, damping: 0 },
        { sums: [sums, sums], judge: sums, size: 2, damping: 1 },
      ]);
      const plain = [1, 2, 2, 1];
      first!.change.forEach((value, at) => assert.ok(Math.abs(value - plain[at]!) < 1e-6));
      // (4 + 6) and (8 + 6) in the place of 2 and 4.
      const change = [4 / 10, 8 / 10, 16 / 14, 8 / 14];
      second!.change.forEach((value, at) => assert.ok(Math.abs(value - change[at]!) < 1e-6));
      const [a, b, c, d] = change as [number, number, number, number];
      assert.ok(Math.abs(second!.along - (2 * a + 4 * b + 8 * c + 4 * d)) < 1e-5);
      assert.ok(Math.abs(second!.square - (2 * (a * a + b * b) + 4 * (c * c + d * d))) < 1e-5);
    } finally {
      await engine.close();
    }
  });
}
