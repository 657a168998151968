import assert from "node:assert";
import { describeModel } from "../architectures/registry.ts";
import { inputGroups } from "../calibration/input_groups.ts";
import { useBackend } from "../compute/backend.ts";
import type { BackendName } from "../compute/backend_names.ts";
import type { Tap } from "../layers/tap.ts";
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
import type { DriftHalves, DriftSums } from "./drift_sums.ts";
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

type Values = ReadonlyMap<string, Float32Array>;

/** What goes into linear maps and what they give, by a plain pass over some chunks. */
async function plainValues(
  { model }: ReturnType<typeof weightsOf>,
  weights: PreparedWeights,
  { ids, chunks }: typeof BATCHES[number],
): Promise<{ readonly inputs: Values; readonly outputs: Values }> {
  await useBackend("wasm");
  const inputs = new Map<string, Float32Array>(), outputs = new Map<string, Float32Array>();
  const parameters = new ParameterStore(weights, true);
  const tap: Tap = {
    input: (weight, x) => void inputs.set(weight, x.dataSync<"float32">().slice()),
    output(weight, y) {
      outputs.set(weight, y.dataSync<"float32">().slice());
      return y;
    },
  };
  hiddenStates(model, parameters, ids, chunks, { tap }).dispose();
  parameters.dispose();
  return { inputs, outputs };
}

/** The states before a layer. */
function statesBefore(
  { model }: ReturnType<typeof weightsOf>,
  layer: number,
  weights: PreparedWeights,
  { ids, chunks }: typeof BATCHES[number],
): Float32Array {
  const { finalNorm: _, ...unfinished } = model;
  const parameters = new ParameterStore(weights, true);
  const layers = model.layers.slice(0, layer);
  const states = hiddenStates({ ...unfinished, layers }, parameters, ids, chunks);
  const values = states.dataSync<"float32">().slice();
  states.dispose();
  parameters.dispose();
  return values;
}

/** What is wanted of each token by the definition of the sums, `[tokens, columns]`. */
function missingOf(
  given: ReturnType<typeof weightsOf>,
  layer: number,
  { weight, size }: LinearInput,
  theirs: Awaited<ReturnType<typeof plainValues>>,
  ours: Awaited<ReturnType<typeof plainValues>>,
  batch: typeof BATCHES[number],
): Float32Array {
  const x = theirs.inputs.get(weight)!, z = ours.inputs.get(weight)!;
  const difference = x.map((value, at) => value - z[at]!);
  const description = given.model.layers[layer]!;
  const { residual, residualScale = 1, attention, feedForward } = description;
  const isPlain = residual === "sequential" || residual === "parallel";
  const hasNorms = [description.attentionOutputNorm, description.feedForwardOutputNorm]
    .some((norm) => norm !== undefined);
  const writer = [attention.output, feedForward.down].find((each) => each.weight === weight);
  if (writer === undefined || !isPlain || hasNorms) return difference;
  const { outputs, layout } = writer, { data } = given.original.get(weight)!;
  const states = [given.original, given.quantized]
    .map((weights) => statesBefore(given, layer, weights, batch));
  const earlier = [theirs, ours].map((each) => each.outputs.get(attention.output.weight)!);
  return states[0]!.map((value, at) => {
    let missing = (value - states[1]![at]!) / residualScale;
    if (writer === feedForward.down) missing += earlier[0]![at]! - earlier[1]![at]!;
    const row = Math.floor(at / outputs), column = at % outputs;
    for (let k = 0; k < size; k++) {
      const place = layout === "inputsByOutputs" ? k * outputs + column : column * size + k;
      missing += difference[row * size + k]! * data[place]!;
    }
    return missing;
  });
}

/** Sums by their definition. */
async function expectedSums(
  given: ReturnType<typeof weightsOf>,
  inputs: readonly LinearInput[],
): Promise<DriftHalves[]> {
  const all = inputs.map((): [DriftSums?, DriftSums?] => []);
  for (const [b, batch] of BATCHES.entries()) {
    const theirs = await plainValues(given, given.original, batch);
    const ours = await plainValues(given, given.quantized, batch);
    for (const [at, input] of inputs.entries()) {
      const { weight, size } = input;
      const z = ours.inputs.get(weight)!, tokens = z.length / size;
      const layer = Math.floor(at / (inputs.length / given.model.layers.length));
      const wanted = missingOf(given, layer, input, theirs, ours, batch);
      const columns = wanted.length / tokens;
      const { moment, missing } = all[at]![b % 2] ??= {
        moment: new Float64Array(size ** 2),
        missing: new Float64Array(size * columns),
      };
      for (let token = 0; token < tokens; token++) {
        for (let i = 0; i < size; i++) {
          const value = z[token * size + i]!;
          for (let j = 0; j < size; j++) moment[i * size + j]! += value * z[token * size + j]!;
          for (let j = 0; j < columns; j++) {
            missing[i * columns + j]! += value * wanted[token * columns + j]!;
          }
        }
      }
    }
  }
  return all.map(([first, second]) => [first!, second!]);
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
        const [first, second] = (await engine.compare(input)).map(({ moment, missing }) => ({
          moment: moment.slice(),
          missing: missing.slice(),
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
      const of = `${model.name}, ${weight}, ${half}`;
      assert.equal(own.missing.length, right.missing.length, of);
      for (const what of ["moment", "missing"] as const) {
        const largest = (values: Float64Array) =>
          values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const scale = largest(right.moment) + largest(right[what]);
        const columns = right[what].length / size;
        right[what].forEach((value, at) => {
          // Above the diagonal moments may be anything.
          if (what === "moment" && at % columns > Math.floor(at / columns)) return;
          const off = Math.abs(own[what][at]! - value);
          assert.ok(off < 2e-4 * scale, `${of}, ${what} ${at}: ${off} of ${scale}`);
        });
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
        missing: Float64Array.of(2, 4, 8, 4),
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
