import type { MeasureOptions } from "./program.ts";
import type { Session } from "./session.ts";

/** Options with a backend that this machine has: `wasm`, with a message, where there is no WebGPU. */
export async function availableBackend<T extends Pick<MeasureOptions, "backend">>(
  options: T,
  { writeLine }: Pick<Session, "writeLine">,
  gpu: Pick<GPU, "requestAdapter"> | undefined = navigator.gpu,
): Promise<T> {
  if (options.backend !== "webgpu" || await gpu?.requestAdapter() != null) return options;
  writeLine("no WebGPU adapter on this machine; using the backend wasm");
  return { ...options, backend: "wasm" };
}
