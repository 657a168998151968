import type { Forecast } from "../terminal/forecast.ts";
import type { Run } from "../terminal/run.ts";
import { keepSpeeds, learntSpeeds, onThisMachine, readSpeeds } from "./kept_speeds.ts";

/**
 * Keeps how long the phases of a run took, for the forecasts of later ones; not of those that tell
 * nothing of this machine, since others did their work, or an earlier run.
 */
export type Learn = (untold?: readonly string[]) => Promise<void>;

/**
 * Says what a run is going to take, given how long its phases usually take, corrected by how long
 * earlier runs on this machine took. Call what it gives at the end of the run.
 */
export async function announce(
  run: Run,
  usual: Forecast,
  { backend, cache = true }: { readonly backend: string; readonly cache?: boolean | undefined },
): Promise<Learn> {
  const speeds = await readSpeeds(run.environment);
  run.expect(onThisMachine(usual, speeds, backend));
  return async (untold = []) => {
    if (!cache) return;
    const told = { ...usual, phases: usual.phases.filter(({ name }) => !untold.includes(name)) };
    await keepSpeeds(learntSpeeds(speeds, told, run.seconds(), backend), run.environment);
  };
}
