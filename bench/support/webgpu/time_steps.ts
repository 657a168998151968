import type { Device } from "../../../eval/webgpu/device.ts";
import { runSteps, type Step } from "../../../eval/webgpu/program.ts";
import { secondsOf } from "./report.ts";

/** Seconds of a step on the device: the mean of a batch that takes at least a quarter of a second. */
export async function timeStep(device: Device, step: Step): Promise<number> {
  const run = (count: number) =>
    secondsOf(async () => {
      runSteps(device, Array.from({ length: count }, () => step));
      await device.gpu.queue.onSubmittedWorkDone();
    });
  await run(1);
  device.check();
  let count = 1;
  for (;;) {
    const seconds = await run(count);
    if (seconds > 0.25 || count >= 4096) return seconds / count;
    count *= 4;
  }
}
