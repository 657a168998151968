import { describeModel } from "../../../eval/architectures/registry.ts";
import { useBackend } from "../../../eval/compute/backend.ts";
import { generateTokens } from "../../../eval/generation/generate.ts";
import { createLanguageModel } from "../../../eval/generation/language_model.ts";
import type { Device } from "../../../eval/webgpu/device.ts";
import { DeviceModel } from "../../../eval/webgpu/device_model.ts";
import { prepareWeights } from "../../../eval/weights/prepared_weights.ts";
import type { MeasuredModel } from "./models.ts";
import { say } from "./report.ts";

/** Prints how long the platform takes to bring four bytes back that are ready. */
export async function timeReading(device: Device): Promise<void> {
  const buffer = device.allocate(4);
  await device.read(buffer, 4);
  const repeats = 20;
  const start = performance.now();
  for (let i = 0; i < repeats; i++) await device.read(buffer, 4);
  const milliseconds = (performance.now() - start) / repeats;
  say(`reading four bytes back takes ${milliseconds.toFixed(1)} ms`);
  buffer.destroy();
}

/** Prints how fast a model writes on the device, alone and in a batch, and whether WebAssembly agrees. */
export async function timeGeneration(measured: MeasuredModel, small: boolean): Promise<void> {
  const { name, config, original: weights, tokens } = measured;
  const description = describeModel(config, weights.keys());
  const model = await DeviceModel.open(description, prepareWeights(description, weights, false));
  if (model === undefined) return say(`${name}: our programs cannot write with it`);
  const { vocabularySize, contextLength } = description;
  const prompt = tokens.slice(0, Math.min(small ? 60 : 500, contextLength / 2));
  const steps = small ? 4 : 64;
  for (const sequences of small ? [1, 3] : [1, 8, 32, 128]) {
    const runner = model.startRunner();
    const ids = Int32Array.from(
      { length: sequences * prompt.length },
      (_, i) => prompt[i % prompt.length]!,
    );
    await runner.run(ids, sequences);
    runner.reset();
    const start = performance.now();
    let logits = await runner.run(ids, sequences);
    const read = (performance.now() - start) / 1000;
    const stepStart = performance.now();
    for (let step = 0; step < steps; step++) {
      const next = Int32Array.from(
        { length: sequences },
        (_, i) => likeliest(logits.subarray(i * vocabularySize, (i + 1) * vocabularySize)),
      );
      logits = await runner.run(next, sequences);
    }
    const seconds = (performance.now() - stepStart) / 1000 / steps;
    const drawStart = performance.now();
    let drawn = new Int32Array(sequences).fill(1);
    for (let step = 0; step < steps; step++) {
      drawn = Int32Array.from(
        await runner.draw(drawn, sequences, new Uint32Array(sequences).fill(step * 6e7)),
      );
    }
    const drawing = (performance.now() - drawStart) / 1000 / steps;
    say(
      `${name}: ${sequences} sequences: prompts of ${prompt.length} tokens read in ` +
        `${(1000 * read).toFixed(1)} ms, then ${(1000 * seconds).toFixed(2)} ms a token, ` +
        `${(sequences / seconds).toFixed(0)} tokens/s; drawn on the device ` +
        `${(1000 * drawing).toFixed(2)} ms, ${(sequences / drawing).toFixed(0)} tokens/s`,
    );
    runner.dispose();
  }
  model.dispose();
  const written = [];
  for (const backend of ["webgpu", "wasm"] as const) {
    await useBackend(backend);
    const writer = createLanguageModel(config, weights);
    const added = [];
    const start = performance.now();
    for await (const token of generateTokens(writer, prompt, { temperature: 0 })) {
      if (added.push(token) === (small ? 8 : 32)) break;
    }
    const seconds = (performance.now() - start) / 1000;
    writer.dispose();
    written.push({ added, seconds });
  }
  const [device, wasm] = written;
  const same = device!.added.findIndex((token, i) => token !== wasm!.added[i]);
  say(
    `${name}: ${device!.added.length} likeliest tokens in ${
      device!.seconds.toFixed(2)
    } s, all in ` +
      `all (WebAssembly ${wasm!.seconds.toFixed(2)} s): ${
        same < 0 ? "the same" : `the same up to number ${same}`
      }`,
  );
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}
