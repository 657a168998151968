import { InvalidArgumentError } from "commander";
import { numberBetween } from "../../../cli/options/options.ts";
import { LLAMA_TYPES } from "./llama_quantize.ts";

/** Parses `2.5,3`, or `none`. */
export function rates(text: string): number[] {
  if (text === "none") return [];
  return text.split(",").map(numberBetween(0.1, 16));
}

/** Parses `Q4_K_M,Q2_K`, or `none`. */
export function types(text: string): string[] {
  if (text === "none") return [];
  return text.split(",").map((type) => {
    if (LLAMA_TYPES.has(type)) return type;
    throw new InvalidArgumentError(`${type} is none of ${[...LLAMA_TYPES.keys()].join(", ")}.`);
  });
}
