/**
 * How much faster WebGPU is than WebAssembly on one core, on the device that it names, and how far
 * their results are apart: scoring and calibrating with the embedded model and with one of GPT-2's
 * sizes, and training an autoencoder level of KANs. The times of a software adapter say nothing; for
 * its results, `--small` leaves the large model out and runs short texts:
 *
 *     deno run --allow-all bench/webgpu.ts
 *     deno run --allow-all bench/webgpu.ts --small
 */
import { embeddedModelPath, openModel, type StateDict } from "../data/mod.ts";
import {
  type BackendName,
  calibrate,
  evaluateLanguageModel,
  type ModelConfig,
  readStateDict,
  useBackend,
} from "../eval/mod.ts";
import { randomStateDict } from "../eval/testdata/random_model.ts";
import { createAutoencoderLevel } from "../hierarchy/mod.ts";
import { createRandom } from "../kan/mod.ts";

const backends: readonly BackendName[] = ["wasm", "webgpu"];

const small = Deno.args.includes("--small");

/**
 * Prints the seconds of some work on each backend, after a first time that warms up, and how far the
 * numbers that it gives are apart, as a share of the largest.
 */
async function compare(
  name: string,
  work: (backend: BackendName) => Promise<ArrayLike<number>>,
): Promise<void> {
  const seconds: number[] = [];
  const results: ArrayLike<number>[] = [];
  for (const backend of backends) {
    await work(backend);
    const start = performance.now();
    results.push(await work(backend));
    seconds.push((performance.now() - start) / 1000);
  }
  const [wasm, webgpu] = seconds as [number, number];
  console.log(
    `${name}: wasm ${wasm.toFixed(2)} s, webgpu ${webgpu.toFixed(2)} s, ` +
      `${(wasm / webgpu).toFixed(2)} times as fast; ` +
      `results ${difference(results[0]!, results[1]!).toExponential(1)} apart`,
  );
}

/** The largest difference of two lists of numbers, as a share of the largest number. */
function difference(expected: ArrayLike<number>, found: ArrayLike<number>): number {
  let largest = 0, worst = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    worst = Math.max(worst, Math.abs(expected[i]! - found[i]!));
  }
  return worst / largest;
}

async function compareModel(
  name: string,
  config: ModelConfig,
  weights: StateDict,
  contextLength: number,
): Promise<void> {
  const random = createRandom(2);
  const vocabulary = Number(config.vocab_size);
  const tokens = Int32Array.from({ length: 4 * contextLength }, () => random.integer(vocabulary));
  const common = { config, tokens, contextLength, threads: 1 };
  await compare(`${name}, scoring ${tokens.length} tokens`, async (backend) => {
    const { perplexity, chunkMeans } = await evaluateLanguageModel({
      ...common,
      original: weights,
      backend,
    });
    return [Math.log(perplexity.original), ...chunkMeans.original];
  });
  await compare(`${name}, calibrating on ${tokens.length} tokens`, async (backend) => {
    const { linears } = await calibrate({ ...common, weights, backend });
    // Of each layer, relative to its own largest: layers differ by orders of magnitude.
    return [...linears.values()].flatMap(({ fisher }) => {
      const largest = Math.max(...fisher!);
      return Array.from(fisher!, (value) => value / largest);
    });
  });
}

async function compareTraining(): Promise<void> {
  const random = createRandom(3);
  const data = Float32Array.from({ length: 256 * 256 }, () => random.normal());
  const signal = [{ name: "w", rows: 256, columns: 256, data }];
  await compare("training an autoencoder 64 > 32", async (backend) => {
    await useBackend(backend);
    const { handsOn } = await createAutoencoderLevel({ blockSize: 64, hiddenDim: 32, steps: 20 })
      .encode(signal, { seed: 1 });
    return handsOn[0]!.data;
  });
}

const adapter = await navigator.gpu?.requestAdapter();
if (adapter == null) {
  console.error("no WebGPU adapter on this machine");
  Deno.exit(1);
}
const { vendor, architecture, device, description } = adapter.info;
const named = [vendor, architecture, device, description].filter((each) => each !== "").join(" ");
console.log(`device: ${named}`);
await compareTraining();
const embedded = await openModel(embeddedModelPath());
await compareModel(
  "embedded model",
  embedded.config,
  await readStateDict(embedded),
  small ? 16 : 256,
);
if (!small) {
  const config = {
    model_type: "gpt2",
    n_embd: 768,
    n_head: 12,
    n_layer: 12,
    n_positions: 1024,
    vocab_size: 50257,
  };
  await compareModel("GPT-2-sized", config, randomStateDict(config, 1), 512);
}
