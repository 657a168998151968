import { type Command, InvalidArgumentError } from "commander";
import { figureFile, nonEmpty, numberBetween } from "../options/options.ts";
import type { CompressOptions } from "../options/compress_options.ts";

/** Options of `sweep`. */
export interface SweepOptions extends
  Omit<
    CompressOptions,
    "preset" | "bits" | "size" | "maxKl" | "levels" | "hiddenDims" | "losslessSmall"
  > {
  /** Presets, baselines and families of baselines. */
  readonly presets: readonly string[];
  /** Rates in bits per weight. */
  readonly bits: readonly number[];
  /** Picture of size against divergence to write. */
  readonly plot?: string;
}

/** Runs `sweep`; no model means the embedded one. */
export type SweepCommand = (model: string | undefined, options: SweepOptions) => Promise<void>;

/** Adds the arguments and options of `sweep` to a command that has those of measuring. */
export function addSweepOptions(command: Command, name: string, run: SweepCommand): void {
  command
    .option("--presets <list>", "presets, baselines or families of them", names, ["rate"])
    .option("--bits <list>", "rates in bits per weight", rates, [2, 3, 4])
    .option("--out <folder>", "folder for sweep.json and sweep.csv", nonEmpty)
    .option("--plot <file>", "draw size against divergence: .png, .svg or .html", figureFile)
    .addHelpText(
      "after",
      "\nEvery preset is measured at every rate. Baselines are rtn, rtn-sym, rtn-asym, rtn-clip,\n" +
        "gptq, gptq-order, hqq, sinq (all their group sizes at whole numbers of bits), gguf, and\n" +
        "single ones such as nf4, nf4-double, gptq-3-g128 or prune-magnitude-50-4bit.\n" +
        "A sweep that was stopped goes on when it is started again.\n" +
        `\nExamples:\n  ${name} sweep --presets rate,gptq,rtn,nf4 --bits 2,2.5,3,4\n` +
        `  ${name} sweep ./my-model --presets rate --bits 2,3,4 --text my.txt --out sweeps/mine\n`,
    )
    .action((model: string | undefined, options: SweepOptions) => run(model, options));
}

function names(text: string): readonly string[] {
  const list = text.split(",").map((part) => part.trim());
  if (list.includes("")) {
    throw new InvalidArgumentError("It must be names with commas between them, such as rate,gptq.");
  }
  return list;
}

function rates(text: string): readonly number[] {
  return [...new Set(text.split(",").map((part) => numberBetween(0.1, 32)(part.trim())))];
}
