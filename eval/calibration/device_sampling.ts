import { DeviceModel } from "../webgpu/device_model.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import { beginJob, type DrawingOptions, type DrawnJob, sequencesWithin } from "./drawn_job.ts";

/** What {@linkcode sampleOnDevice} is given. */
export interface DeviceSamplingOptions extends DrawingOptions {
  readonly weights: PreparedWeights;
}

/** Most sequences that are drawn at once, in whole jobs. */
const mostSequences = 128;
/** Most bytes of the keys and values of all of them. */
const cacheBytes = 2 ** 31;

/**
 * Draws sequences on a graphics card, many at once, by the random numbers that workers would draw them
 * with: the tokens of each job, or undefined if our programs do not know the model.
 */
export async function sampleOnDevice(
  options: DeviceSamplingOptions,
): Promise<Int32Array[] | undefined> {
  const { model, weights, jobs, onProgress, signal } = options;
  const onDevice = await DeviceModel.open(model, weights);
  if (onDevice === undefined) return undefined;
  try {
    const drawn: Int32Array[] = [];
    const runner = onDevice.startRunner();
    const most = Math.min(mostSequences, sequencesWithin(cacheBytes, model, options.length));
    while (drawn.length < jobs.length) {
      const group: DrawnJob[] = [];
      let sequences = 0;
      for (const job of jobs.slice(drawn.length)) {
        if (group.length > 0 && sequences + job.batch > most) break;
        group.push(beginJob(job, options));
        sequences += job.batch;
      }
      runner.reset();
      let current = Int32Array.from(group.flatMap(({ begin }) => [...begin]));
      for (let position = 0;; position++) {
        let at = 0;
        for (const { tokens, batch } of group) {
          for (let row = 0; row < batch; row++) {
            tokens[row * options.length + position] = current[at++]!;
          }
        }
        if (position + 1 === options.length) break;
        signal?.throwIfAborted();
        onProgress(drawn.length + group.length * position / options.length);
        const draws = Uint32Array.from(
          group.flatMap(({ batch, random }) =>
            Array.from({ length: batch }, () => 2 ** 32 * random.uniform())
          ),
        );
        const labels = await runner.draw(current, sequences, draws);
        at = 0;
        current = Int32Array.from(
          group.flatMap(({ batch, writers }) =>
            Array.from({ length: batch }, (_, row) => {
              const label = labels[at++]!;
              return writers?.[row]?.next(label) ?? label;
            })
          ),
        );
      }
      drawn.push(...group.map(({ tokens }) => tokens));
      onProgress(drawn.length);
    }
    return drawn;
  } finally {
    onDevice.dispose();
  }
}
