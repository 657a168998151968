/**
 * What the notebooks share: progress within a cell, and calibrations that are kept.
 *
 * @module
 */
import process from "node:process";
import { cachedCalibration } from "../cli/compress/calibration_cache.ts";
import { cacheFolder } from "../cli/input/cache_folder.ts";
import type { Progress } from "../cli/terminal/phases.ts";
import { progressText } from "../cli/terminal/progress_line.ts";
import { TimeLeft } from "../cli/terminal/time_left.ts";
import { fromBase64, toHex } from "../data/base64.ts";
import { type StateDict, weightsDigest } from "../data/mod.ts";
import { sha256, sha256OfJson } from "../data/sha256.ts";
import { describeModel } from "../eval/architectures/registry.ts";
import type { ModelConfig } from "../eval/architectures/config.ts";
import { calibrate } from "../eval/calibration/calibrate.ts";
import { CALIBRATION_VERSION } from "../eval/calibration/calibration_file.ts";
import { packCalibration, unpackCalibration } from "../eval/calibration/packed_calibration.ts";
import { tensorMetrics } from "../eval/calibration/tensor_metrics.ts";
import type { TensorMetrics } from "../hierarchy/metric/tensor_metric.ts";

/** Milliseconds between two looks of a cell's progress. */
const INTERVAL = 500;
/** The part of Deno's kernel that shows something below a cell. */
interface Kernel {
  broadcast(type: string, content: Readonly<Record<string, unknown>>): Promise<void>;
}

/** One line below a cell that is written over. */
class CellLine {
  readonly #kernel = (Deno as { jupyter?: Kernel }).jupyter;
  readonly #id = crypto.randomUUID();
  #isShown = false;

  async show(text: string): Promise<void> {
    const type = this.#isShown ? "update_display_data" : "display_data";
    this.#isShown = true;
    const content = {
      data: { "text/plain": text },
      metadata: {},
      transient: { display_id: this.#id },
    };
    await this.#kernel?.broadcast(type, content);
  }
}

/**
 * Does work that reports the share that is done, and shows below the cell how far it is and how
 * long it still takes. Outside of a notebook it only does the work.
 */
export async function withProgress<T>(
  what: string,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const line = new CellLine();
  const start = performance.now();
  const time = new TimeLeft();
  time.begin(what);
  let share = 0, activity: string | undefined;
  const show = () => {
    const elapsed = (performance.now() - start) / 1000;
    const left = time.seconds(share, elapsed);
    return line.show(progressText({
      phase: what,
      phaseShare: share,
      elapsed,
      ...(left !== undefined && { left }),
      ...(activity !== undefined && { activity }),
    }));
  };
  await show();
  const timer = setInterval(() => void show(), INTERVAL);
  try {
    return await work((done, now) => {
      share = Math.min(1, Math.max(0, done));
      if (now !== undefined) activity = now;
    });
  } finally {
    clearInterval(timer);
    await line.show(`${what}: done`);
  }
}

/** A model and the text that it is calibrated on. */
export interface CalibratedHere {
  /** Its configuration. */
  readonly config: ModelConfig;
  /** Its weights. */
  readonly weights: StateDict;
  /** The text, tokenized. */
  readonly tokens: Int32Array;
}

/**
 * Finds what errors in each matrix cost, as `calibrate` does, and keeps it in the user's cache
 * folder, beside those of the command line: the next cell, or notebook, that asks for the same takes
 * it from there.
 */
export async function keptMetrics(
  { config, weights, tokens }: CalibratedHere,
): Promise<TensorMetrics> {
  const description = describeModel(config, weights.keys());
  const parts = [CALIBRATION_VERSION, config, await weightsDigest(weights)];
  const key = toHex(
    fromBase64(await sha256OfJson(["notebook", ...parts, await sha256(tokens)])),
  );
  const make = () =>
    withProgress("calibrate", async (onProgress) => ({
      tokens,
      calibration: packCalibration(
        await calibrate({ config, weights, tokens, onProgress }),
      ),
    }));
  const folder = cacheFolder({}, false, process.env);
  const kept = await cachedCalibration(folder, key, make, { writeLine() {} });
  return tensorMetrics(description, unpackCalibration(kept.calibration));
}
