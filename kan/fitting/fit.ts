import { evaluateKan } from "../engine/evaluate.ts";
import { evaluateLoss } from "../engine/losses.ts";
import { type DataSet, requireFitting } from "../engine/objective.ts";
import type { KanModel } from "../model/model.ts";
import {
  type FitOptions,
  type FitProgress,
  type FitResult,
  requireOptions,
} from "./fit_options.ts";
import { gridUpdateDefaults, scheduleGridUpdates } from "./grid_schedule.ts";
import { scaleTask } from "./scale_task.ts";
import { Trainer } from "./trainer.ts";

export type { FitOptions, FitProgress, FitResult } from "./fit_options.ts";

/**
 * A trained copy of `model`. The same model, data, options and random seed give the same result.
 *
 * @throws RangeError if the data do not fit the model, hold numbers that are not finite, or an option
 * is out of its range.
 *
 * ```ts
 * import { createKanModel, createRandom, fitKan, samplesFrom } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * const x = Array.from({ length: 50 }, (_, i) => -1 + i / 25);
 * const data = {
 *   inputs: samplesFrom(x.map((each) => [each])),
 *   targets: samplesFrom(x.map((each) => [Math.sin(3 * each)])),
 * };
 * const model = createKanModel({ widths: [1, 1], grid: { intervals: 5 }, random: createRandom(0) });
 * const { history } = await fitKan(model, data, { steps: 20 });
 * assert.ok(history.at(-1)!.loss < 1e-3);
 * ```
 */
export async function fitKan(
  model: KanModel,
  data: DataSet,
  options: FitOptions = {},
): Promise<FitResult> {
  const { validation, loss = "mse" } = options;
  requireFitting(model, data, loss);
  if (validation !== undefined) requireFitting(model, validation, loss, "validation ");
  requireOptions(model, options);
  const task = scaleTask(model, data, options);
  const trainer = new Trainer(task.model, task.data, task.options);
  try {
    const result = await train(trainer, task.options, (trained) => {
      return measure(task.restore(trained), data, options);
    });
    return { ...result, model: task.restore(result.model) };
  } finally {
    trainer.dispose();
  }
}

async function train(
  trainer: Trainer,
  options: FitOptions,
  measured: (trained: KanModel) => Partial<FitProgress>,
): Promise<FitResult> {
  const { steps = 100, gridUpdate = {}, patience = Infinity } = options;
  const { validation, loss = "mse" } = options;
  const schedule = scheduleGridUpdates(gridUpdate, steps, gridUpdateDefaults(options));
  const history: FitProgress[] = [];
  let best: { model: KanModel; loss: number; step: number } | undefined;
  let isStuck = false;
  const end = (reason: FitResult["reason"]): FitResult => ({
    model: best?.model ?? trainer.model,
    history,
    ...(trainer.adamState !== undefined && { adamState: trainer.adamState }),
    reason,
  });
  for (let step = 1; step <= steps; step++) {
    if (options.signal?.aborted) return end("aborted");
    const isDue = schedule.isDue(step - 1);
    if (isDue) trainer.updateGrids(gridUpdate || {});
    else if (isStuck) continue;
    const reached = await trainer.step();
    // On other grids there may be better steps: the run goes on with the next update.
    isStuck = reached === "converged" && schedule.isAhead(step);
    if (isStuck) continue;
    if (typeof reached === "string") return end(reached);
    let progress: FitProgress = { step, loss: reached, ...measured(trainer.model) };
    if (validation !== undefined) {
      const { data } = evaluateKan(trainer.model, validation.inputs);
      const validationLoss = evaluateLoss(loss, data, validation.targets).value;
      progress = { ...progress, validationLoss };
      if (patience < Infinity && validationLoss < (best?.loss ?? Infinity)) {
        best = { model: trainer.model, loss: validationLoss, step };
      }
    }
    history.push(progress);
    options.onProgress?.(progress);
    if (validation !== undefined && step - (best?.step ?? 0) >= patience) return end("patience");
  }
  return end("steps");
}

/** The metrics of a model on raw data. */
function measure(
  model: KanModel,
  data: DataSet,
  { metrics, validation }: FitOptions,
): Partial<FitProgress> {
  if (metrics === undefined) return {};
  const measureOn = ({ inputs, targets }: DataSet) => {
    const outputs = evaluateKan(model, inputs);
    return Object.fromEntries(
      Object.entries(metrics).map(([name, metric]) => [name, metric(outputs, targets)]),
    );
  };
  return {
    metrics: measureOn(data),
    ...(validation !== undefined && { validationMetrics: measureOn(validation) }),
  };
}
