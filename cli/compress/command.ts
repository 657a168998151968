import { type Command, Option } from "commander";
import { DEFAULT_BITS, PRESETS } from "../../hierarchy/compressor_options.ts";
import { addExamples, EMBEDDED, MODEL, type Start } from "../options/command.ts";
import {
  fileSize,
  hiddenDimensions,
  integerBetween,
  nonEmpty,
  numberBetween,
  redisAddress,
} from "../options/options.ts";
import {
  addCalibrationOptions,
  addCoderOptions,
  addMeasureOptions,
  addPartsOption,
  addStoreOption,
  addTaskOptions,
} from "../options/shared_options.ts";

/** Measured with SmolLM2-135M on WikiText-2: docs/results.md. */
const WHICH_BITS = `
Which --bits? What a model of 135 million parameters keeps; larger keep more:
  --bits  100 million parameters  likeliest token kept  perplexity
  4                        50 MB                  92 %      +2.3 %
  3.5                      44 MB                  90 %      +4.1 %
  3                        38 MB                  86 %      +9.7 %
  2.5                      31 MB                  80 %       +19 %`;

/** Adds `compress` to the program. */
export function addCompress(program: Command, start: Start): void {
  const command = program.command("compress")
    .description("Compress a model, measure what that costs, and write a .kan.safetensors file.")
    .argument("[model]", `${MODEL} ${EMBEDDED}`, nonEmpty)
    .addOption(
      new Option("--preset <name>", "which levels compress (default: rate)").choices(PRESETS),
    )
    .option(
      "--bits <n>",
      `whole file in bits per weight, such as 2.5 (default: ${DEFAULT_BITS}; seed: no target)`,
      numberBetween(0.1, 32),
    )
    .option("--size <size>", "whole file in bytes, such as 1.5MB, instead of --bits", fileSize)
    .option(
      "--max-kl <nats>",
      "smallest file with this mean KL divergence on the measured text, instead of --bits",
      numberBetween(1e-9, 100),
    )
    .option(
      "--tune <n>",
      "train factors of rows and columns, norms and biases for n steps after coding " +
        "(default: 0; 100 with --effort best)",
      integerBetween(0, 1e6),
    )
    .option("--levels <n>", "autoencoder levels, for seed and hybrid", integerBetween(1, 8))
    .option("--hidden-dims <list>", "their widths, such as 512,256,128", hiddenDimensions)
    .option("--lossless-small", "keep norms and biases bit for bit, not as f16")
    .option(
      "--memory <size>",
      "memory to do with, such as 4GB: moments are kept on disk where it is short (default: what is free)",
      fileSize,
    )
    .option(
      "--work <dir>",
      "folder that keeps what is done: the same command goes on from it (default: for large " +
        "models, one beside the output until the end)",
      nonEmpty,
    )
    .option(
      "--redis <url>",
      "have the workers of this server code, such as redis://host: docs/distributed.md",
      redisAddress,
    )
    .option("--out <path>", "folder or .kan.safetensors file to write", nonEmpty)
    .option("--no-evaluate", "compress only; automatic if a model cannot be measured");
  addStoreOption(command);
  addTaskOptions(command, "measure by the questions of a task, not on a text");
  addPartsOption(addMeasureOptions(addCalibrationOptions(addCoderOptions(command))))
    .action(start(async () => (await import("./compress.ts")).compress));
  command.addHelpText("after", WHICH_BITS);
  addExamples(program, command, [
    "compress",
    "compress --bits 2.5 --json",
    "compress --size 1.5MB --calibration my-novels.txt",
    "compress ./my-model --max-kl 0.02",
    "compress ./my-model --bits 2 --tune 200",
    "compress openai-community/gpt2 --text my.txt --tokens 20000",
    "compress ./my-model --preset seed --hidden-dims 512,256,128",
    "compress ./my-classifier --task sst2_classifier --data reviews.jsonl",
  ]);
}
