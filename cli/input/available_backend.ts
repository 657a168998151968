import type { MeasureOptions } from "../options/measure_options.ts";
import type { Run } from "../terminal/run.ts";

/**
 * Options with a backend that this machine has: `wasm`, with a message, if there is no WebGPU.
 * Where there is, tfjs is told to use it in this thread too, in which levels of KANs are trained.
 */
export async function availableBackend<T extends Pick<MeasureOptions, "backend">>(
  options: T,
  { writeLine }: Pick<Run, "writeLine">,
  gpu: Pick<GPU, "requestAdapter"> | undefined = navigator.gpu,
): Promise<T> {
  if (options.backend !== "webgpu") return options;
  if (await gpu?.requestAdapter() != null) {
    await (await import("../../eval/compute/backend.ts")).useBackend("webgpu");
    return options;
  }
  writeLine("no WebGPU adapter on this machine; using the backend wasm");
  return { ...options, backend: "wasm" };
}
