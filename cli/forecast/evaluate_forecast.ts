import type { TransformerDescription } from "../../eval/architectures/description.ts";
import type { EvaluateOptions } from "../../eval/mod.ts";
import { isNativeInstalled } from "../../eval/native/runtime.ts";
import type { Forecast } from "../terminal/forecast.ts";
import { TASKS } from "../terminal/program_name.ts";
import { decodingSeconds, forwardSeconds, modelWork, type StepSettings } from "./step_costs.ts";

/** What an evaluation consists of. */
export interface EvaluationPlan extends StepSettings {
  /** Tokens that go through each model. */
  readonly tokens: number;
  /** Models that are measured. */
  readonly models: number;
  /** Whether one is to be decoded first. */
  readonly decodes: boolean;
  /** Whether it is decoded within the evaluation, layer by layer. */
  readonly byLayer: boolean;
  /** Bytes of memory at the peak, about, where they are known. */
  readonly memory?: number;
}

/**
 * What an evaluation on a text usually takes; `native` makes models run on
 * the native engine.
 */
export function evaluateForecast(
  description: TransformerDescription,
  { tokens, models, decodes, byLayer, memory, ...settings }: EvaluationPlan,
  native: string | undefined,
): Forecast {
  const work = modelWork(description);
  const decode = decodes ? decodingSeconds(work) : 0;
  const forward = forwardSeconds(work, tokens, models, settings);
  const phases = byLayer
    ? [{ name: "evaluate", seconds: decode + forward }]
    : [...decodes ? [{ name: "decompress", seconds: decode }] : [], {
      name: "evaluate",
      seconds: forward,
    }];
  const way = settings.backend === "wasm" ? native : undefined;
  const needed = memory === undefined ? {} : { memory };
  return { phases, ...needed, quicker: [...way === undefined ? [] : [way], "fewer --tokens"] };
}

/** Tokens that go through a model, where windows overlap or are read once for each of their tokens. */
export function tokensRead(
  { tokens, protocol, contextLength = tokens.length, stride }: Pick<
    EvaluateOptions,
    "tokens" | "protocol" | "contextLength" | "stride"
  >,
): number {
  if (protocol === "pseudo") return tokens.length * contextLength;
  return tokens.length * (stride === undefined ? 1 : Math.max(1, contextLength / stride));
}

/** What makes models run on the native engine, where the user can have it. */
export function wayToNative(program: string): string | undefined {
  if (isNativeInstalled()) return "--backend native";
  return program === TASKS ? `${TASKS} native:install` : undefined;
}
