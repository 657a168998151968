import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { chooseStates, type Effort } from "../../hierarchy/choose_states.ts";
import type { Forecast } from "../terminal/forecast.ts";
import type { ExpectedPhase } from "../terminal/time_left.ts";
import {
  calibrationSeconds,
  codingSeconds,
  driftSeconds,
  factoringSeconds,
  forwardSeconds,
  modelWork,
  type StepSettings,
} from "./step_costs.ts";

/** What a sweep consists of. */
export interface SweepPlan extends StepSettings {
  /** Tokens to be calibrated on; 0 where nothing is, or that was done before. */
  readonly calibratedTokens: number;
  /** Tokens that each point is measured on. */
  readonly measuredTokens: number;
  /** The points that are left: whether a preset of ours makes them, and whether that corrects drift. */
  readonly points: readonly { readonly isPreset: boolean; readonly drifts?: boolean }[];
  /** Tokens that drift is corrected on in coding by the preset rate; none if omitted. */
  readonly driftTokens?: number;
  /** Trellis states, where the user names them. */
  readonly states?: number;
  /** Effort that chooses the states; normal if omitted. */
  readonly effort?: Effort;
}

/** Baselines take about this share of the time of ours. */
const BASELINE_SHARE = 0.2;

/** What a sweep usually takes; that autoencoders are trained is not in it. */
export function sweepForecast(description: TransformerDescription, plan: SweepPlan): Forecast {
  const { calibratedTokens, measuredTokens, points, states, effort = "normal", driftTokens = 0 } =
    plan;
  const work = modelWork(description);
  const chosen = chooseStates({ effort, ...(states !== undefined && { states }) }, work.weights);
  const coding = factoringSeconds(work) + codingSeconds(work, chosen, "rate", plan);
  const evaluate = { name: "evaluate", seconds: forwardSeconds(work, measuredTokens, 1, plan) };
  const phases: ExpectedPhase[] = [{ ...evaluate, name: "evaluate the original" }];
  if (calibratedTokens > 0) {
    phases.push({ name: "calibrate", seconds: calibrationSeconds(work, calibratedTokens, plan) });
  }
  const drift = driftTokens > 0 ? driftSeconds(work, driftTokens, "rate", plan) : 0;
  for (const { isPreset, drifts } of points) {
    const seconds = coding * (isPreset ? 1 : BASELINE_SHARE) + (drifts ? drift : 0);
    phases.push({ name: "compress", seconds }, evaluate);
  }
  return { phases, quicker: ["fewer --tokens", "--effort fast", "fewer --bits and --presets"] };
}
