import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { chooseStates, type Effort } from "../../hierarchy/choose_states.ts";
import { type Forecast, sum } from "../terminal/forecast.ts";
import type { ExpectedPhase } from "../terminal/time_left.ts";
import {
  calibrationSeconds,
  codingSeconds,
  decodingSeconds,
  driftSeconds,
  factoringSeconds,
  forwardSeconds,
  type ModelWork,
  modelWork,
  samplingSeconds,
  type StepSettings,
  tuningSeconds,
} from "./step_costs.ts";

/** What a compression consists of. */
export interface CompressionPlan extends StepSettings {
  /** The text that is calibrated on, where anything is. */
  readonly calibration?: {
    /** Its tokens. */
    readonly tokens: number;
    /** How many of them the model has to write first. */
    readonly written: number;
    /** Whether it has been done by an earlier run. */
    readonly isKept: boolean;
  };
  /** Trellis states, where the user names them. */
  readonly states?: number;
  /** Effort that chooses the states; normal if omitted. */
  readonly effort?: Effort;
  /** Tokens that drift is corrected on; none if omitted. */
  readonly driftTokens?: number;
  /** Steps of tuning; none if omitted. */
  readonly tuneSteps?: number;
  /** Whether the target is a divergence. */
  readonly byDivergence: boolean;
  /** Tokens that both models are measured on; 0 where they are not measured on a text. */
  readonly measuredTokens: number;
  /** Tokens of the calibration text that both are measured on, if there is one. */
  readonly checkedTokens: number;
}

/** Tokens of calibration that are proposed where time is short. */
const FEW_TOKENS = 4096;
/** What saves less than this share of the time is not worth a word. */
const WORTH_SAVING = 0.1;

/**
 * What a compression by the preset rate usually takes, and what would be quicker; `native` is
 * what makes models run on the native engine.
 */
export function compressForecast(
  description: TransformerDescription,
  plan: CompressionPlan,
  native: string | undefined,
): Forecast {
  const work = modelWork(description);
  const phases = phasesOf(work, plan);
  const all = sum(phases);
  const saving = (change: Partial<CompressionPlan>) =>
    all - sum(phasesOf(work, { ...plan, ...change }));
  const { calibration, backend, measuredTokens } = plan;
  const isCalibrating = calibration !== undefined && !calibration.isKept;
  const ways: [text: string, seconds: number][] = [];
  if (backend === "wasm" && native !== undefined) {
    ways.push([native, saving({ backend: "native" })]);
  }
  if (isCalibrating && calibration.tokens > FEW_TOKENS) {
    const tokens = FEW_TOKENS;
    ways.push([
      `--calibration-tokens ${tokens}`,
      saving({ calibration: { ...calibration, tokens } }),
    ]);
  }
  if (plan.driftTokens !== undefined && plan.driftTokens > 0) {
    ways.push(["--no-correct-drift", saving({ driftTokens: 0 })]);
  }
  if (plan.tuneSteps !== undefined && plan.tuneSteps > 0) {
    ways.push(["--tune 0", saving({ tuneSteps: 0 })]);
  }
  if (plan.effort !== "fast" && plan.states === undefined) {
    ways.push(["--effort fast", saving({ effort: "fast" })]);
  }
  if (measuredTokens > 0 && !plan.byDivergence) {
    ways.push(["--no-evaluate", saving({ measuredTokens: 0, checkedTokens: 0 })]);
  }
  // How much a way saves is known by the usual costs alone: only the order is said.
  const quicker = ways.filter(([, seconds]) => seconds >= WORTH_SAVING * all)
    .sort(([, a], [, b]) => b - a).map(([text]) => text);
  return { phases, quicker };
}

function phasesOf(work: ModelWork, plan: CompressionPlan): ExpectedPhase[] {
  const { calibration, states, effort = "normal", measuredTokens, checkedTokens } = plan;
  const phases: ExpectedPhase[] = [];
  const add = (name: string, seconds: number) => phases.push({ name, seconds });
  if (calibration !== undefined) {
    const { tokens, written, isKept } = calibration;
    if (!isKept && written > 0) add("sample", samplingSeconds(work, written, plan));
    if (!isKept) add("calibrate", calibrationSeconds(work, tokens, plan));
    add("factor", factoringSeconds(work));
  }
  const chosen = chooseStates({ effort, ...(states !== undefined && { states }) }, work.weights);
  const measuring = plan.byDivergence ? forwardSeconds(work, measuredTokens, 1, plan) : 0;
  const target = plan.byDivergence ? "divergence" : "rate";
  const { driftTokens = 0, tuneSteps = 0 } = plan;
  const drift = driftTokens > 0 ? driftSeconds(work, driftTokens, target, plan) : 0;
  add("compress", codingSeconds(work, chosen, target, plan, measuring) + drift);
  if (tuneSteps > 0) add("tune", tuningSeconds(work, tuneSteps, plan));
  add("decompress", decodingSeconds(work));
  if (measuredTokens > 0) add("evaluate", forwardSeconds(work, measuredTokens, 2, plan));
  if (measuredTokens > 0 && checkedTokens > 0) {
    add("check", forwardSeconds(work, checkedTokens, 2, plan));
  }
  return phases;
}
