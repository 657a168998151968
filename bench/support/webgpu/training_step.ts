import { describeModel } from "../../../eval/architectures/registry.ts";
import { openDeviceTrainer } from "../../../eval/training/device_trainer.ts";
import { TfjsTrainer } from "../../../eval/training/tfjs_trainer.ts";
import { arraysOf, startTrainables } from "../../../eval/training/trainables.ts";
import { openDevice } from "../../../eval/webgpu/open_device.ts";
import { prepareWeights } from "../../../eval/weights/prepared_weights.ts";
import { greatest } from "../../../data/extremes.ts";
import type { MeasuredModel } from "./models.ts";
import { difference, say, secondsOf } from "./report.ts";

/** Prints how long a training step takes on the device, and how far it is from WebAssembly's. */
export async function timeTrainingStep(measured: MeasuredModel, small: boolean): Promise<void> {
  const { name, config, original, compressed, tokens, contextLength } = measured;
  const model = describeModel(config, original.keys());
  const options = {
    model,
    original: prepareWeights(model, original, true),
    compressed: prepareWeights(model, compressed, true),
    threads: navigator.hardwareConcurrency,
  };
  const chunksOf = (length: number, count: number) =>
    Array.from({ length: count }, (_, i) => tokens.slice(i * length, (i + 1) * length));
  const at = startTrainables(model, options.compressed);
  const device = await openDevice();
  const trainer = await openDeviceTrainer(options, () => Promise.resolve(device));
  if (trainer === undefined) return say(`${name}: our programs cannot train it`);
  const chunks = chunksOf(contextLength, small ? 2 : Math.ceil(2048 / contextLength));
  const count = chunks.length * contextLength;
  const first = await secondsOf(() => trainer.step(chunks, at));
  const before = { ...device.counts };
  const repeats = small ? 1 : 8;
  const repeat = (work: () => Promise<unknown>) =>
    secondsOf(async () => {
      for (let i = 0; i < repeats; i++) await work();
    });
  const step = await repeat(() => trainer.step(chunks, at)) / repeats;
  const { dispatches, bytesSent, bytesRead } = device.counts;
  const each = (now: number, then: number) => (now - then) / repeats;
  const loss = await repeat(() => trainer.loss(chunks, at)) / repeats;
  const fresh = await repeat(() => trainer.step(chunks.map((chunk) => chunk.slice()), at)) /
    repeats;
  say(
    `${name}: a training step on ${count} tokens takes ${step.toFixed(3)} s, ${
      fresh.toFixed(3)
    } s ` +
      `with the original's pass, ${first.toFixed(2)} s the first time; the loss alone ` +
      `${loss.toFixed(3)} s; ${each(dispatches, before.dispatches).toFixed(0)} dispatches ` +
      `(${(each(dispatches, before.dispatches) / model.layers.length).toFixed(1)} a layer), ` +
      `${(each(bytesSent, before.bytesSent) / 1e6).toFixed(1)} MB sent, ` +
      `${(each(bytesRead, before.bytesRead) / 1e6).toFixed(1)} MB back`,
  );
  const short = chunksOf(measured.compared.contextLength / 2, 2);
  const found = await trainer.step(short, at);
  await trainer.close();
  const wasm = new TfjsTrainer({ ...options, backend: "wasm" });
  const start = performance.now();
  const expected = await wasm.step(short, at);
  const seconds = (performance.now() - start) / 1000;
  await wasm.close();
  const gradients = arraysOf(found.gradients);
  // Of each array, relative to its own largest.
  const apart = arraysOf(expected.gradients)
    .map((values, index) => greatest(values) === 0 ? 0 : difference(values, gradients[index]!));
  say(
    `${name}: on ${2 * short[0]!.length} tokens WebAssembly takes ${
      seconds.toFixed(1)
    } s; losses ` +
      `${Math.abs(found.loss / expected.loss - 1).toExponential(1)} and gradients up to ` +
      `${greatest(apart).toExponential(1)} apart`,
  );
}
