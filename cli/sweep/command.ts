import { type Command, InvalidArgumentError, Option } from "commander";
import { EMBEDDED, MODEL, type Start } from "../options/command.ts";
import {
  addCalibrationOptions,
  addCoderOptions,
  addMeasureOptions,
} from "../options/shared_options.ts";
import { figureFile, nonEmpty, numberBetween } from "../options/options.ts";

/** Adds `sweep` to the program. */
export function addSweep(program: Command, start: Start): void {
  const name = program.name();
  const command = program.command("sweep")
    .description("Compress a model in many ways, measure each, and show which are best.")
    .argument("[model]", `${MODEL} ${EMBEDDED}`, nonEmpty);
  addCalibrationOptions(addMeasureOptions(addCoderOptions(command), false))
    .addOption(
      new Option("--presets <list>", "presets, baselines or families of them")
        .argParser(names).default(["rate"], "rate"),
    )
    .addOption(
      new Option("--bits <list>", "rates in bits per weight")
        .argParser(rates).default([2, 3, 4], "2,3,4"),
    )
    .option("--out <folder>", "folder for sweep.json and sweep.csv", nonEmpty)
    .option("--plot <file>", "draw size against divergence: .png, .svg or .html", figureFile)
    .addHelpText(
      "after",
      "\nEvery preset is measured at every rate. Baselines are rtn, rtn-sym, rtn-asym,\n" +
        "rtn-clip, gptq, gptq-order, hqq, sinq (all their group sizes at whole numbers of\n" +
        "bits), gguf, and single ones such as nf4, nf4-double, gptq-3-g128 or\n" +
        "prune-magnitude-50-4bit.\n" +
        "A stopped sweep resumes when it is started again.\n" +
        `\nExamples:\n  ${name} sweep --presets rate,gptq,rtn,nf4 --bits 2,2.5,3,4\n` +
        `  ${name} sweep ./my-model --presets rate --bits 2,3,4 --out sweeps/mine\n`,
    )
    .action(start(async () => (await import("./sweep.ts")).sweep));
}

function names(text: string): readonly string[] {
  const list = text.split(",").map((part) => part.trim());
  if (list.includes("")) {
    throw new InvalidArgumentError("It must be names separated by commas, such as rate,gptq.");
  }
  return list;
}

function rates(text: string): readonly number[] {
  return [...new Set(text.split(",").map((part) => numberBetween(0.1, 32)(part.trim())))];
}
