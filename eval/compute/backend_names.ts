/** What runs models: one of tfjs' backends, or `native`, ONNX Runtime where it is installed. */
export type BackendName = "native" | "wasm" | "webgpu" | "cpu";

/** Every {@linkcode BackendName}. */
export const BACKEND_NAMES: readonly BackendName[] = ["native", "wasm", "webgpu", "cpu"];

/** Where tfjs computes. */
export type TfjsBackend = Exclude<BackendName, "native">;
