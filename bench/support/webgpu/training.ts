import { type TfjsBackend, useBackend } from "../../../eval/compute/backend.ts";
import { createAutoencoderLevel } from "../../../hierarchy/levels/autoencoder_level.ts";
import { createRandom } from "../../../kan/mod.ts";
import { difference, say, secondsOf } from "./report.ts";

/** Prints how long training an autoencoder level takes on tfjs' backends. */
export async function compareTraining(): Promise<void> {
  const random = createRandom(3);
  const data = Float32Array.from({ length: 256 * 256 }, () => random.normal());
  const matrices = [{ name: "w", rows: 256, columns: 256, data }];
  const train = async (backend: TfjsBackend) => {
    await useBackend(backend);
    const level = createAutoencoderLevel({ blockSize: 64, hiddenDim: 32, steps: 20 });
    return (await level.encode(matrices, { seed: 1 })).output[0]!.data;
  };
  const [wasm, webgpu] = [await train("wasm"), await train("webgpu")];
  const seconds = [await secondsOf(() => train("wasm")), await secondsOf(() => train("webgpu"))];
  say(
    `training an autoencoder 64 > 32 on tfjs: wasm ${seconds[0]!.toFixed(2)} s, ` +
      `webgpu ${seconds[1]!.toFixed(2)} s; results ${
        difference(wasm, webgpu).toExponential(1)
      } apart`,
  );
}
