/**
 * How fast are evaluation, calibration, training steps and generation on WebGPU, on the device that it
 * names, and how far are their figures from those of WebAssembly? Matrix products alone, the programs
 * of one layer, the embedded model, and a model of SmolLM2-135M's sizes with random weights, or that
 * in a folder. `--parts` chooses among products, moments, layer, scoring, calibration, training, generation;
 * `--large` leaves out the embedded model.
 *
 *     deno run --allow-all bench/webgpu.ts
 *     deno run --allow-all bench/webgpu.ts ./SmolLM2-135M
 *     deno run --allow-all bench/webgpu.ts --small
 *     deno run --allow-all bench/webgpu.ts --parts training,generation
 *
 * The times of a software adapter say nothing; `--small` runs shorter texts and fewer layers for its
 * results. `--tiles` times products with every size of tiles; the part `autoencoder` trains one of its
 * levels on tfjs' WebGPU too.
 */
import { basename } from "node:path";
import { embeddedModelPath, readEmbeddedText } from "../data/embedded_model.ts";
import { openModel } from "../data/open_model.ts";
import { readStateDict } from "../eval/weights/read_state_dict.ts";
import { openDevice } from "../eval/webgpu/open_device.ts";
import { endFor, readCommandLine } from "./support/command_line.ts";
import { timeGeneration, timeReading } from "./support/webgpu/generation.ts";
import { timeLayer } from "./support/webgpu/layer.ts";
import {
  compareCalibration,
  compareScores,
  type MeasuredModel,
  timeCalibration,
  timeScoring,
} from "./support/webgpu/models.ts";
import { timeMoments, timeProducts } from "./support/webgpu/products.ts";
import { disturb, randomWeights, smolLm2 } from "./support/webgpu/random_weights.ts";
import { say } from "./support/webgpu/report.ts";
import { timeTrainingStep } from "./support/webgpu/training_step.ts";

const allParts = [
  "products",
  "moments",
  "layer",
  "training",
  "generation",
  "scoring",
  "calibration",
  "autoencoder",
] as const;
type Part = typeof allParts[number];

const { parts: wanted, small, large, tiles, folder } = parseArguments();
const has = (part: Part) => wanted === undefined ? part !== "autoencoder" : wanted.includes(part);

function parseArguments() {
  const options = {
    parts: { type: "string" },
    small: { type: "boolean", default: false },
    large: { type: "boolean", default: false },
    tiles: { type: "boolean", default: false },
  } as const;
  const { values, words: [folder] } = readCommandLine(options, { words: ["FOLDER"] });
  const parts = values.parts?.split(",");
  const unknown = parts?.find((part) => !allParts.includes(part as Part));
  if (unknown !== undefined) {
    return endFor(`${unknown} is no part; choose among ${allParts.join(", ")}`);
  }
  return { ...values, parts, folder };
}

async function nameDevice(): Promise<void> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (adapter == null) return endFor("no WebGPU adapter on this machine");
  const { vendor, architecture, device, description } = adapter.info;
  const named = [vendor, architecture, device, description].filter((each) => each !== "").join(" ");
  const { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupStorageSize } =
    adapter.limits;
  say(
    `device: ${named}; binding ${maxStorageBufferBindingSize}, buffer ${maxBufferSize}, workgroup ` +
      `storage ${maxComputeWorkgroupStorageSize} bytes; ${navigator.hardwareConcurrency} threads`,
  );
}

/** The model of a folder, with the embedded text, as often as it takes. */
async function openMeasured(path: string, count: number): Promise<MeasuredModel> {
  const source = await openModel(path);
  const original = await readStateDict(source);
  const encoded = (await source.tokenizer()).encode(await readEmbeddedText());
  const tokens = Int32Array.from({ length: count }, (_, i) => encoded[i % encoded.length]!);
  const context = Number(source.config["n_positions"] ?? 512);
  return {
    name: basename(source.name),
    config: source.config,
    original,
    compressed: disturb(original, 0.05, 3),
    tokens,
    contextLength: small ? 64 : Math.min(512, context),
    compared: { tokens: 512, contextLength: 128 },
    calibrated: Math.min(count, 20480),
  };
}

/** Random weights of SmolLM2-135M's sizes and random tokens. */
function makeMeasured(): MeasuredModel {
  const config = small ? { ...smolLm2, num_hidden_layers: 2, vocab_size: 2048 } : smolLm2;
  const original = randomWeights(config, 1);
  const count = small ? 512 : 65536;
  return {
    name: small ? "two layers of SmolLM2-135M's sizes" : "SmolLM2-135M's sizes",
    config,
    original,
    compressed: disturb(original, 0.05, 3),
    tokens: Int32Array.from(
      { length: count },
      (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 8) % config.vocab_size,
    ),
    contextLength: small ? 64 : 512,
    compared: { tokens: 256, contextLength: 128 },
    calibrated: small ? 256 : 20480,
  };
}

async function measure(model: MeasuredModel): Promise<void> {
  if (has("training")) await timeTrainingStep(model, small);
  if (has("generation")) await timeGeneration(model, small);
  if (has("scoring")) await timeScoring(model);
  if (has("calibration")) await timeCalibration(model);
  if (has("scoring")) await compareScores(model);
  if (has("calibration")) await compareCalibration(model);
}

await nameDevice();
const device = await openDevice();
say(`float16 numbers below the least normal one are ${device.readsSmallHalves ? "read" : "lost"}`);
if (has("generation")) await timeReading(device);
if (has("products")) await timeProducts(device, small, tiles);
if (has("moments")) await timeMoments(device, small);
if (has("layer")) {
  await timeLayer(device, smolLm2, small ? 256 : 8192, small ? 128 : 512);
  if (!small) await timeLayer(device, smolLm2, 16384, 512);
}
device.close();
if (!large) await measure(await openMeasured(embeddedModelPath(), small ? 512 : 65536));
say("making weights");
await measure(
  folder === undefined ? makeMeasured() : await openMeasured(folder, small ? 512 : 65536),
);
if (has("autoencoder")) {
  await (await import("./support/webgpu/training.ts")).compareTraining();
}
say("done");
