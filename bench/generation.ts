/**
 * How fast does a model write, and how much memory do its weights take meanwhile, by tfjs and by our
 * kernels? The kernels read the original as it is stored, and the compressed model as its integers. MODEL
 * is a folder, the embedded model if it is left out; COMPRESSED a .kan.safetensors file, made without
 * calibration at 4 bits if it is. `--webgpu` adds our programs on the graphics card, with 16 bits or 32
 * and with the integers. `--threads N` says how many threads our kernels have, `--rounds N` how
 * often all is measured. Seconds of the processor are those of all threads: on a machine that does other
 * things, they say more than the clock does.
 *
 *     deno run --allow-all bench/generation.ts [MODEL [COMPRESSED]]
 *
 * @module
 */
import process from "node:process";
import { greatest } from "../data/extremes.ts";
import { openFile } from "../data/file_source.ts";
import { memorySource } from "../data/memory_source.ts";
import { embeddedModelPath, openModel } from "../data/mod.ts";
import { useBackend } from "../eval/compute/backend.ts";
import { CompactModel } from "../eval/generation/compact_model.ts";
import { CodedDeviceModel } from "../eval/webgpu/coded_device_model.ts";
import { DeviceModel } from "../eval/webgpu/device_model.ts";
import { createLanguageModel } from "../eval/generation/language_model.ts";
import { TfjsRunner } from "../eval/generation/tfjs_runner.ts";
import type { TokenRunner } from "../eval/model/token_runner.ts";
import { prepareWeights } from "../eval/weights/prepared_weights.ts";
import { readStateDict } from "../eval/weights/read_state_dict.ts";
import { codedWeights } from "../hierarchy/coded_weights.ts";
import { HierarchicalCompressor } from "../hierarchy/compressor.ts";
import { containerWeights } from "../hierarchy/container_weights.ts";
import { type Container, openContainer } from "../hierarchy/file/container.ts";
import { endFor, readCommandLine } from "./support/command_line.ts";

/** Tokens of the prompt. */
const PROMPT = 128;
/** Tokens that are written, by one sequence and by each of several. */
const WRITTEN = 24;
/** Sequences that are written together. */
const TOGETHER = 16;

interface Candidate {
  readonly name: string;
  /** Bytes of weights for each weight. */
  readonly bytesPerWeight: number;
  readonly start: () => Promise<TokenRunner>;
}

/** Tokens a second, by the clock and by the processor. */
interface Speed {
  readonly clock: number;
  readonly processor: number;
}

function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function measure(tokens: number, work: () => Promise<void>): Promise<Speed> {
  const [clock, processor] = [performance.now(), processorSeconds()];
  await work();
  return {
    clock: tokens / ((performance.now() - clock) / 1000),
    processor: tokens / (processorSeconds() - processor),
  };
}

async function measureAll(runner: TokenRunner): Promise<Speed[]> {
  const prompt = Int32Array.from({ length: PROMPT }, (_, i) => i * 37 % 200);
  runner.reset();
  const speeds = [await measure(PROMPT, async () => void await runner.run(prompt, 1))];
  for (const sequences of [1, TOGETHER]) {
    runner.reset();
    await runner.run(new Int32Array(sequences).fill(7), sequences);
    speeds.push(
      await measure(sequences * WRITTEN, async () => {
        for (let i = 0; i < WRITTEN; i++) {
          await runner.run(new Int32Array(sequences).fill(i), sequences);
        }
      }),
    );
  }
  return speeds;
}

const { values, words } = readCommandLine({
  webgpu: { type: "boolean", default: false },
  threads: { type: "string", default: `${navigator.hardwareConcurrency}` },
  rounds: { type: "string", default: "3" },
}, { words: ["MODEL", "COMPRESSED"] });
const threads = Number(values.threads);
// The best of them counts.
const rounds = Number(values.rounds);
const [path = embeddedModelPath(), file] = words;
const source = await openModel(path);
const container = await openContainer(
  file === undefined
    ? memorySource((await new HierarchicalCompressor().compress(source.weights)).bytes, "at 4 bits")
    : await openFile(file),
);
const compact = await CompactModel.load(source);
const coded = await CompactModel.loadCompressed(container, source.config);
if (compact === undefined || coded === undefined) {
  endFor(`${path}: our kernels do not know this model, or this platform`);
}
await useBackend("wasm");
const reference = createLanguageModel(source.config, await readStateDict(source));
const parameters = reference.numParameters();
const passes = {
  layers: reference.description.layers.length,
  hiddenStates: (
    ids: Int32Array,
    sequences: number,
    cache: import("../eval/mod.ts").KeyValueCache,
  ) => reference.hiddenStates(ids, sequences, { cache }),
  head: (hidden: ReturnType<typeof reference.head>) => reference.head(hidden),
};
const candidates: Candidate[] = [
  {
    name: "tfjs, 32 bits",
    // As given and as packed.
    bytesPerWeight: 8,
    start: () => Promise.resolve(new TfjsRunner(passes)),
  },
  {
    name: "kernels, as stored",
    bytesPerWeight: compact.weightBytes / parameters,
    start: () => compact.startRunner({ threads }),
  },
  {
    name: "kernels, integers",
    bytesPerWeight: coded.weightBytes / parameters,
    start: () => coded.startRunner({ threads }),
  },
];
if (values.webgpu) {
  const { description } = reference;
  const prepared = prepareWeights(description, reference.stateDict(), false);
  const floats = await DeviceModel.open(description, prepared);
  const integers = await onDevice(container);
  if (floats === undefined || integers === undefined) {
    throw new Error("our programs on WebGPU do not know this model");
  }
  candidates.push(
    {
      name: "WebGPU, as stored",
      bytesPerWeight: floats.bytes / parameters,
      start: () => Promise.resolve(floats.startRunner()),
    },
    {
      name: "WebGPU, integers",
      bytesPerWeight: integers.bytes / parameters,
      start: () => Promise.resolve(integers.startRunner()),
    },
  );
  await compareLogits();
}

/** The compressed model on the graphics card. */
async function onDevice(container: Container): Promise<DeviceModel | undefined> {
  const model = await CodedDeviceModel.create(reference.description);
  if (model === undefined) return undefined;
  const weights = codedWeights(container)!;
  const { read } = containerWeights(container);
  for (const name of model.missing) {
    const isCoded = weights.names.has(name) && model.putCoded(name, await weights.read(name));
    if (!isCoded) model.put(name, await read(name));
  }
  return await model.send();
}

/** How far the logits of the integers on the card are from those in WebAssembly. */
async function compareLogits(): Promise<void> {
  const ids = Int32Array.from({ length: 40 }, (_, i) => i * 37 % 200);
  const logits: Float32Array[] = [];
  for (const { name, start } of candidates.filter(({ name }) => name.endsWith("integers"))) {
    const runner = await start();
    await runner.run(ids, 1);
    logits.push((await runner.run(ids.subarray(0, 1), 1)).slice());
    runner.dispose();
    console.log(`${name}: read ${ids.length + 1} tokens`);
  }
  const [one, two] = logits;
  const apart = greatest(one!.map((value, i) => Math.abs(value - two![i]!)));
  const most = greatest(one!.map(Math.abs));
  console.log(
    `logits of the integers: at most ${(apart / most).toExponential(1)} of the largest apart`,
  );
}

console.log(`${source.name}, ${threads} threads; tokens/s by the clock (by a second of processor)`);
const best = new Map<string, Speed[]>();
for (let round = 0; round < rounds; round++) {
  for (const { name, start } of candidates) {
    const runner = await start();
    const speeds = await measureAll(runner);
    runner.dispose();
    const known = best.get(name) ?? speeds;
    best.set(
      name,
      speeds.map((speed, i) => ({
        clock: Math.max(speed.clock, known[i]!.clock),
        processor: Math.max(speed.processor, known[i]!.processor),
      })),
    );
  }
}
const shown = ({ clock, processor }: Speed) => `${clock.toFixed(1)} (${processor.toFixed(1)})`;
console.log(
  `| engine | bytes/weight | prompt of ${PROMPT} | one sequence | ${TOGETHER} together |`,
);
console.log("| --- | ---: | ---: | ---: | ---: |");
for (const { name, bytesPerWeight } of candidates) {
  const columns = [name, bytesPerWeight.toFixed(2), ...best.get(name)!.map(shown)];
  console.log(`| ${columns.join(" | ")} |`);
}
reference.dispose();
