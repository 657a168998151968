import { existsSync } from "node:fs";
import type { Run } from "../../../cli/terminal/run.ts";
import type { Candidate } from "./candidate.ts";
import { kanpressCandidate } from "./kanpress_candidate.ts";
import { llamaCandidates } from "./llama_candidate.ts";
import { type Measurement, planMeasurements } from "./measurements.ts";
import { keepTexts, openBenchModel, type OpenedModel } from "./opened_model.ts";
import type { RealModelsOptions } from "./options.ts";
import { tablesText } from "./tables.ts";
import { TimeLeft } from "./time_left.ts";

/** Measures models one after another, and prints the tables of each. */
export async function realModels(
  names: readonly string[],
  options: RealModelsOptions,
  run: Run,
): Promise<void> {
  for (const name of names) {
    const model = await openBenchModel(name, options, run);
    if (!options.tables) await measureModel(model, options, run);
    run.print(`${tablesText(model.results.lines)}\n`);
  }
}

/** Does what is missing of a model. */
export async function measureModel(
  model: OpenedModel,
  options: RealModelsOptions,
  run: Run,
): Promise<void> {
  const texts = await keepTexts(options, model.folder);
  const measurements = await planMeasurements(model, texts, options, run);
  const candidates = [
    ...options.bits.map((bits) => kanpressCandidate(model, { ...options, bits }, run)),
    ...await llamaCandidates(model, options, run),
  ];
  const left = planWork(model, candidates, measurements);
  for (const candidate of candidates) {
    await measureCandidate(model, candidate, measurements, left, run);
  }
}

/** What is to be done of the results that are asked for. */
function planWork(
  { results: { lines } }: OpenedModel,
  candidates: readonly Candidate[],
  measurements: readonly Measurement[],
): TimeLeft {
  const left = candidates.flatMap((candidate) => {
    const files = isMade(candidate, lines) ? [] : [programOf(candidate)];
    const missing = measurements.filter((one) => !one.isDone(candidate.method, lines));
    return [...files, ...missing.map(({ label }) => label)];
  });
  const time = new TimeLeft(left);
  for (const line of lines) {
    if (line.kind === "file") time.learn(line.file.program, line.file.seconds);
    if (line.kind === "text") time.learn(`${line.text} (${line.result.protocol})`, line.seconds);
    if (line.kind === "task") time.learn(line.task, line.seconds);
  }
  return time;
}

function programOf({ method }: Candidate): string {
  return method.split(" ")[0]!;
}

function isMade({ method, file }: Candidate, lines: OpenedModel["results"]["lines"]): boolean {
  return existsSync(file) && lines.some((line) => line.kind === "file" && line.method === method);
}

async function measureCandidate(
  { results }: OpenedModel,
  candidate: Candidate,
  measurements: readonly Measurement[],
  left: TimeLeft,
  { signal, writeLine }: Run,
): Promise<void> {
  const { method } = candidate;
  const missing = measurements.filter((one) => !one.isDone(method, results.lines));
  const made = isMade(candidate, results.lines);
  if (made && missing.length === 0) return;
  writeLine(`${method}: ${left}`);
  if (!made) {
    const file = await candidate.make();
    await results.add({ kind: "file", method, file });
    left.finish(file.program, file.seconds);
  }
  if (missing.length === 0) return;
  const weights = await candidate.read();
  for (const measurement of missing) {
    signal.throwIfAborted();
    writeLine(`${method} on ${measurement.label}: ${left}`);
    const line = await measurement.run(method, weights);
    await results.add(line);
    if ("seconds" in line) left.finish(measurement.label, line.seconds);
  }
}
