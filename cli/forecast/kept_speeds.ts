import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { removeAbandonedFiles } from "../../data/abandoned_files.ts";
import { isJsonObject } from "../../data/json_file.ts";
import { makeFolder } from "../../data/hub_cache.ts";
import { InputError } from "../../data/mod.ts";
import { parseJson } from "../../data/parse_json.ts";
import { writeFileAtomically } from "../../data/write_file.ts";
import type { Forecast } from "../terminal/forecast.ts";
import { joined } from "../terminal/forecast.ts";
import type { Run } from "../terminal/run.ts";
import { cacheFolder } from "../input/cache_folder.ts";

/** How many times as long as by the usual costs steps take on this machine, by step and engine. */
export type Speeds = Readonly<Record<string, number>>;

/** Phases that were expected to take less tell nothing of the machine. */
const SHORTEST = 2;
/** Beyond this, something else than the machine was in the way. */
const LARGEST = 50;

/** The name of a phase's speed. */
export function speedName(phase: string, backend: string): string {
  return `${phase} ${backend}`;
}

function speedsFile(environment: Run["environment"]): string {
  return join(cacheFolder({}, false, environment), "speeds.json");
}

/** What earlier runs on this machine have learnt; empty where there were none. */
export async function readSpeeds(environment: Run["environment"]): Promise<Speeds> {
  try {
    const kept: unknown = parseJson(await readFile(speedsFile(environment), "utf8"));
    if (!isJsonObject(kept)) return {};
    return Object.fromEntries(
      Object.entries(kept).filter((entry): entry is [string, number] => isSpeed(entry[1])),
    );
  } catch {
    // Not there, damaged or not to be read: the usual costs will do.
    return {};
  }
}

function isSpeed(value: unknown): value is number {
  return typeof value === "number" && value >= 1 / LARGEST && value <= LARGEST;
}

/** A forecast by the usual costs, for this machine. */
export function onThisMachine(forecast: Forecast, speeds: Speeds, backend: string): Forecast {
  const phases = forecast.phases.map(({ name, seconds }) => ({
    name,
    seconds: seconds * (speeds[speedName(name, backend)] ?? 1),
  }));
  return { ...forecast, phases };
}

/**
 * Speeds with what a run has shown: the geometric mean of what was known and what is new, so that a
 * busy hour does not spoil the next forecast. `usual` is the forecast by the usual costs.
 */
export function learntSpeeds(
  speeds: Speeds,
  usual: Forecast,
  seconds: Readonly<Record<string, number>>,
  backend: string,
): Speeds {
  const learnt: Record<string, number> = { ...speeds };
  for (const { name, seconds: expected } of joined(usual.phases)) {
    const taken = seconds[name];
    if (taken === undefined || expected < SHORTEST) continue;
    const key = speedName(name, backend);
    const speed = taken / expected;
    if (isSpeed(speed)) learnt[key] = Math.sqrt(speed * (speeds[key] ?? 1));
  }
  return learnt;
}

/** Keeps how fast the machine is for the next run; where nothing can be kept, nothing is. */
export async function keepSpeeds(speeds: Speeds, environment: Run["environment"]): Promise<void> {
  try {
    const folder = cacheFolder({}, false, environment);
    await makeFolder(folder);
    await removeAbandonedFiles(folder);
    const text = `${JSON.stringify(speeds, undefined, 2)}\n`;
    await writeFileAtomically(speedsFile(environment), [new TextEncoder().encode(text)]);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}
