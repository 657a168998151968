import type { TfjsBackend } from "../../eval/compute/backend.ts";
import { requireNativeRuntime } from "../../eval/native/runtime.ts";
import type { MeasureOptions } from "../options/measure_options.ts";
import type { Run } from "../terminal/run.ts";

/** The same options with a backend of tfjs: `wasm` in the place of `native`. */
export function withTfjs<T extends Pick<MeasureOptions, "backend">>(
  options: T,
): T & { readonly backend: TfjsBackend } {
  const { backend } = options;
  return { ...options, backend: backend === "native" ? "wasm" : backend };
}

/**
 * Options with a backend that this machine has: `wasm`, with a message, if there is no WebGPU.
 * Where there is, tfjs is told to use it in this thread too, in which levels of KANs are trained.
 * Throws {@linkcode InputError} with what to do if the backend is `native` and is not installed.
 */
export async function availableBackend<T extends Pick<MeasureOptions, "backend">>(
  options: T,
  { writeLine }: Pick<Run, "writeLine">,
  gpu: Pick<GPU, "requestAdapter"> | undefined = navigator.gpu,
): Promise<T> {
  if (options.backend === "native") requireNativeRuntime();
  if (options.backend !== "webgpu") return options;
  if (await gpu?.requestAdapter() != null) {
    await (await import("../../eval/compute/backend.ts")).useBackend("webgpu");
    return options;
  }
  writeLine("no WebGPU adapter on this machine; using the backend wasm");
  return { ...options, backend: "wasm" };
}
