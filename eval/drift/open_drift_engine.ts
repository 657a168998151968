import { useBackend } from "../compute/backend.ts";
import type { BackendName } from "../compute/backend_names.ts";
import type { DriftEngine, DriftEngineOptions } from "./drift_engine.ts";

/** The native engine, or tfjs on WASM for every other backend. */
export async function openDriftEngine(
  backend: BackendName,
  options: DriftEngineOptions,
): Promise<DriftEngine> {
  if (backend === "native") {
    const { NativeDriftEngine } = await import("./native_drift_engine.ts");
    return new NativeDriftEngine(options);
  }
  await useBackend("wasm");
  const { WorkerDriftEngine } = await import("./worker_drift_engine.ts");
  return new WorkerDriftEngine(options);
}
