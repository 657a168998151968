import type { BackendName } from "../compute/backend.ts";
import { NativeTrainer } from "./native_trainer.ts";
import type { Trainer, TrainerOptions } from "./trainer.ts";

/**
 * The training step on a backend; whoever makes it closes it. Throws `InputError` if the model cannot be
 * trained, or not on this backend.
 */
export async function createTrainer(
  backend: BackendName,
  options: TrainerOptions,
): Promise<Trainer> {
  if (backend === "native") return new NativeTrainer(options);
  if (backend === "webgpu") {
    const { openDeviceTrainer } = await import("./device_trainer.ts");
    const trainer = await openDeviceTrainer(options);
    if (trainer !== undefined) return trainer;
  }
  const { TfjsTrainer } = await import("./tfjs_trainer.ts");
  return new TfjsTrainer({ ...options, backend });
}
