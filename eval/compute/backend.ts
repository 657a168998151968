import * as tf from "@tensorflow/tfjs";
import { InputError } from "../../data/input_error.ts";
import { BACKEND_NAMES, type TfjsBackend } from "./backend_names.ts";
import { releaseMemory } from "../../data/release_memory.ts";

export type { BackendName, TfjsBackend } from "./backend_names.ts";

/** Every {@linkcode TfjsBackend}. */
export const backendNames: readonly TfjsBackend[] = BACKEND_NAMES.filter((name) =>
  name !== "native"
);

/**
 * Makes tfjs compute on a backend and waits until it is ready. Throws {@linkcode InputError} if
 * the machine has no such backend.
 *
 * ```ts
 * import { useBackend } from "@kanpress/kanpress/eval";
 *
 * await useBackend("wasm");
 * ```
 */
export async function useBackend(name: TfjsBackend): Promise<void> {
  if (!backendNames.includes(name)) {
    throw new InputError(`unknown backend "${name}"; choose one of ${backendNames.join(", ")}`);
  }
  if (tf.findBackendFactory(name) === null) {
    if (name === "wasm") await import("@tensorflow/tfjs-backend-wasm");
    if (name === "webgpu") {
      if (await navigator.gpu?.requestAdapter() == null) {
        throw new InputError("no WebGPU adapter on this machine; choose the backend wasm or cpu");
      }
      await import("@tensorflow/tfjs-backend-webgpu");
    }
  }
  if (!await tf.setBackend(name)) {
    throw new InputError(`the backend ${name} could not be started; choose another one`);
  }
  await tf.ready();
}

/** Reads a tensor's values; at once where the backend can, which spares an allocation. */
export async function readValues(x: tf.Tensor): Promise<Float32Array> {
  return tf.getBackend() === "webgpu" ? await x.data<"float32">() : x.dataSync<"float32">();
}

/**
 * The values of the tensor that `make` gives; all others that it makes are disposed. Not on WebGPU.
 * `tf.tidy` would look into each value of an array that it is given, for longer than a product takes.
 */
export function tidyValues(make: () => tf.Tensor): Float32Array {
  const tensor = tf.tidy(make);
  const values = tensor.dataSync<"float32">();
  tensor.dispose();
  return values;
}

/**
 * Lets go of values that tensors were made from, or that were read from one, where the backend is known
 * to have copied them (see `releaseMemory`).
 */
export function releaseValues(values: Float32Array): void {
  if (tf.getBackend() === "wasm") releaseMemory(values);
}
