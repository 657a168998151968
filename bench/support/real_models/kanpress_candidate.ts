import { join } from "node:path";
import { openFile } from "../../../data/mod.ts";
import { writeFileAtomically } from "../../../data/write_file.ts";
import {
  type CompressionReport,
  factorMetrics,
  HierarchicalCompressor,
} from "../../../hierarchy/mod.ts";
import { openContainer } from "../../../hierarchy/file/container.ts";
import {
  calibrateModel,
  type CalibrationPlan,
  planCalibration,
} from "../../../cli/compress/calibration.ts";
import { correctDrift as correctDriftOf } from "../../../cli/compress/drift.ts";
import { readRestoredWeights } from "../../../cli/input/restored_weights.ts";
import type { Run } from "../../../cli/terminal/run.ts";
import { resetPeakMemory, residentMemory } from "../resident_memory.ts";
import type { Candidate } from "./candidate.ts";
import type { OpenedModel } from "./opened_model.ts";
import type { FileResult } from "./results_file.ts";

/** Ends the names of methods that do not correct drift. */
const NOT_CORRECTED = " without drift corrected";

/** Whether what is called so was made with drift corrected. */
export function isDriftCorrected(method: string): boolean {
  return !method.endsWith(NOT_CORRECTED);
}

/** kanpress at a rate, as `compress --bits` does it with everything else at its default. */
export function kanpressCandidate(
  model: OpenedModel,
  { bits, correctDrift = true }: {
    readonly bits: number;
    readonly correctDrift?: boolean;
  },
  run: Run,
): Candidate {
  const { signal } = run;
  const { source: { config, name }, weights, sha256 } = model;
  const label = `kanpress-${bits}${correctDrift ? "" : "-no-drift"}`;
  const file = join(model.folder, `${label}.kan.safetensors`);
  return {
    method: `kanpress ${bits.toFixed(2)}${correctDrift ? "" : NOT_CORRECTED}`,
    file,
    async make() {
      const plan = await planCalibration(model, model.calibration);
      const { metrics, tokens } = await calibration(model, plan, run);
      resetPeakMemory();
      const start = performance.now();
      const { bytes, report } = await run.phase("compress", async (progress) => {
        const factored = await factorMetrics(metrics, { weights, bits, signal });
        const { threads } = model.calibration;
        const job = { model, plan, tokens };
        const compressor = new HierarchicalCompressor({
          ...{ bits, threads, signal },
          ...(correctDrift && {
            tasksThrough: await correctDriftOf(job, model.calibration, (tasks) => tasks),
          }),
          onProgress: (activity, share) => progress(share, activity),
        });
        const description = { config, source: name, sourceSha256: sha256 };
        return await compressor.compress(weights, { ...description, metrics: factored });
      });
      const seconds = (performance.now() - start) / 1000;
      const peak = residentMemory(Deno.pid, "VmHWM");
      await writeFileAtomically(file, [bytes]);
      return { ...sizes(model, report), seconds, peak };
    },
    read: async () => await readRestoredWeights(await openContainer(await openFile(file)), config),
  };
}

/** What errors cost; what calibrating took is a result too, unless it was in the cache. */
async function calibration(model: OpenedModel, plan: CalibrationPlan, run: Run) {
  const before = run.seconds()["calibrate"];
  const { metrics, tokens } = await calibrateModel(model, model.calibration, run, { plan });
  const after = run.seconds()["calibrate"];
  if (after !== before) {
    const seconds = (after ?? 0) - (before ?? 0);
    await model.results.add({ kind: "calibration", what: "kanpress", seconds });
  }
  return { metrics, tokens };
}

function sizes(
  { linears }: OpenedModel,
  { compressedBytes, tensors }: CompressionReport,
): Omit<FileResult, "seconds" | "peak"> {
  const linear = tensors.filter(({ name }) => linears.has(name))
    .reduce((sum, { bytes }) => sum + bytes, 0);
  return { program: "kanpress", bytes: compressedBytes, counted: compressedBytes, linear };
}
