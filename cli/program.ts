import type { EvaluateOptions } from "./options/evaluate_options.ts";
import { Command, Option } from "commander";
import { DEFAULT_BITS, PRESETS } from "../hierarchy/compressor_options.ts";
import type { CompressOptions } from "./options/compress_options.ts";
import type { MeasureOptions } from "./options/measure_options.ts";
import {
  addCalibrationOptions,
  addCoderOptions,
  addComputeOptions,
  addMeasureOptions,
  addTaskOptions,
} from "./options/shared_options.ts";
import { addSweepOptions, type SweepCommand } from "./sweep/sweep_program.ts";
import { addPageCommands, type PageCommands } from "./page_commands.ts";
import { usageErrorText } from "./terminal/errors.ts";
import { refuseIgnoredOptions } from "./options/option_conflicts.ts";
import {
  figureFile,
  fileSize,
  hiddenDimensions,
  integerBetween,
  nonEmpty,
  numberBetween,
  someText,
} from "./options/options.ts";

/** Options of `sample`. */
export interface SampleCommandOptions extends Pick<MeasureOptions, "threads" | "backend"> {
  /** About how many tokens the model writes. */
  readonly tokens: number;
  /** Tokens of each text, at most the model's context. */
  readonly context: number;
  /** Seed of the draws. */
  readonly seed: number;
  /** File to write; stdout where it is left out. */
  readonly out?: string;
}

/** Options of `decompress`. */
export interface DecompressOptions {
  /** The model that the compressed one was made from, for its tokenizer. */
  readonly original?: string;
  /** Folder to write. */
  readonly out: string;
  /** Element type of the weights to write. */
  readonly dtype: "f32" | "f16" | "bf16";
  /** Whether to write an ONNX file too. */
  readonly onnx?: true;
  /** One JSON object on stdout instead of text for people. */
  readonly json?: true;
}

/** Options of `inspect`. */
export interface InspectOptions {
  /** Picture of the bits of each layer to write. */
  readonly plot?: string;
  /** One JSON object on stdout instead of text for people. */
  readonly json?: true;
}

/** What the commands do; the program only parses. */
export interface Commands extends PageCommands {
  /** Runs `compress`; no model means the embedded one. */
  compress(model: string | undefined, options: CompressOptions): Promise<void>;
  /** Runs `decompress`. */
  decompress(file: string, options: DecompressOptions): Promise<void>;
  /** Runs `evaluate`; no model means the embedded one. */
  evaluate(model: string | undefined, options: EvaluateOptions): Promise<void>;
  /** Runs `sample`; no model means the embedded one. */
  sample(model: string | undefined, options: SampleCommandOptions): Promise<void>;
  /** Runs `sweep`; no model means the embedded one. */
  sweep: SweepCommand;
  /** Runs `inspect`. */
  inspect(file: string, options: InspectOptions): Promise<void>;
}

const MODEL = "model folder or name on the Hugging Face hub";
const EMBEDDED = "(default: the embedded model)";
const COMPRESSED = "compressed model: a .kan.safetensors file, its URL, or its folder";
const OUT_EXAMPLE = "compressed/prose-4m-rate-4bit";

/**
 * The program with its commands. `name` is how the user calls it, such as `deno task`;
 * messages go to `write`. Misuse throws commander's CommanderError.
 */
export function createProgram(
  name: string,
  commands: Commands,
  write: { out: (text: string) => void; error: (text: string) => void },
): Command {
  const program = new Command(name)
    .description("Compress language models with Kolmogorov-Arnold levels, and measure the cost.")
    .exitOverride()
    .configureOutput({
      writeOut: write.out,
      writeErr: write.error,
      outputError: (message, writeError) => writeError(`${usageErrorText(message)}\n`),
    })
    .showHelpAfterError("(add --help for the options)")
    .hook("preAction", (_, command) => refuseIgnoredOptions(command));
  addCompress(program, commands);
  addEvaluate(program, commands);
  addInspect(program, commands);
  addDecompress(program, commands);
  addSample(program, commands);
  addSweep(program, commands);
  addPageCommands(program, commands);
  return program;
}

function addCompress(program: Command, commands: Commands): void {
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
    .option("--levels <n>", "autoencoder levels, for seed and hybrid", integerBetween(1, 8))
    .option("--hidden-dims <list>", "their widths, such as 512,256,128", hiddenDimensions)
    .option("--lossless-small", "keep norms and biases bit for bit, not at f16")
    .option("--out <path>", "folder or .kan.safetensors file to write", nonEmpty)
    .option("--no-evaluate", "compress only; automatic where a model cannot be measured");
  addTaskOptions(command, "measure by the questions of a task, not on a text");
  addMeasureOptions(addCalibrationOptions(addCoderOptions(command)))
    .action((model: string | undefined, options: CompressOptions) =>
      commands.compress(model, options)
    );
  addExamples(command, [
    `${program.name()} compress`,
    `${program.name()} compress --bits 2.5 --json`,
    `${program.name()} compress --size 1.5MB --calibration my-novels.txt`,
    `${program.name()} compress ./my-model --max-kl 0.02 --effort best`,
    `${program.name()} compress openai-community/gpt2 --text my.txt --tokens 20000`,
    `${program.name()} compress ./my-model --preset seed --levels 3 --hidden-dims 512,256,128`,
    `${program.name()} compress ./my-classifier --task sst2_classifier --data reviews.jsonl`,
  ]);
}

function addEvaluate(program: Command, commands: Commands): void {
  const command = program.command("evaluate")
    .description("Measure perplexity, and a compressed model's distance to its original.")
    .argument("[model]", `${MODEL}, or compressed model ${EMBEDDED}`, nonEmpty)
    .option(
      "--original <model>",
      "what to compare with (default: as recorded, if it is on this machine)",
      nonEmpty,
    )
    .option("--plot <file>", "draw size against perplexity: .png, .svg or .html", figureFile)
    .option("--low-memory", "decode and run one layer at a time, with the same figures")
    .option("--log-samples <file>", "write each question and its answers, as JSONL", nonEmpty)
    .option(
      "--against <file>",
      "what an earlier evaluate --json printed, to compare with",
      nonEmpty,
    )
    .option("--prompt <text>", "show how the models continue this text, instead", someText)
    .option("--max-tokens <n>", "length of a continuation", integerBetween(1, 100_000), 60)
    .option("--temperature <t>", "0 takes the likeliest token", numberBetween(0, 100), 0.8)
    .option("--top-k <n>", "choose among the n likeliest; 0 for all", integerBetween(0, 1e6), 40)
    .option("--top-p <p>", "choose among this much probability", numberBetween(0.0001, 1), 0.95)
    .option("--seed <n>", "seed of the sampling", integerBetween(0, 2 ** 32 - 1), 0);
  addTaskOptions(command, "ask the questions of a task, instead");
  addMeasureOptions(command)
    .action((model: string | undefined, options: EvaluateOptions) =>
      commands.evaluate(model, options)
    );
  addExamples(command, [
    `${program.name()} evaluate`,
    `${program.name()} evaluate ${OUT_EXAMPLE} --text my.txt`,
    `${program.name()} evaluate --text my.txt --protocol huggingface --context 1024 --stride 512`,
    `${program.name()} evaluate small.kan.safetensors --original ./my-model --json`,
    `${program.name()} evaluate ${OUT_EXAMPLE} --prompt "The old house"`,
    `${program.name()} evaluate ${OUT_EXAMPLE} --task hellaswag --data hellaswag_val.jsonl`,
  ]);
}

function addInspect(program: Command, commands: Commands): void {
  const command = program.command("inspect")
    .description("Show the hierarchy in a compressed file: its levels and tensors, and their bits.")
    .argument("<file>", COMPRESSED, nonEmpty)
    .option("--plot <file>", "draw the bits of each layer: .png, .svg or .html", figureFile)
    .option("--json", "one JSON object on stdout")
    .action((file: string, options: InspectOptions) => commands.inspect(file, options));
  command.addHelpText(
    "after",
    "\ndeno task inspect may only read; with --plot or a URL, it is deno task inspect:plot.",
  );
  addExamples(command, [`${program.name()} inspect ${OUT_EXAMPLE}`]);
}

function addDecompress(program: Command, commands: Commands): void {
  const command = program.command("decompress")
    .description(
      "Write a compressed model as an ordinary model folder, for transformers and others.",
    )
    .argument("<file>", COMPRESSED, nonEmpty)
    .requiredOption("--out <folder>", "folder to write", nonEmpty)
    .option(
      "--original <model>",
      "where to take the tokenizer from (default: beside the file)",
      nonEmpty,
    )
    .addOption(
      new Option("--dtype <type>", "element type of the weights").choices(["f32", "f16", "bf16"])
        .default("f32"),
    )
    .option("--onnx", "also write onnx/model.onnx in f32, for transformers.js and ONNX Runtime")
    .option("--json", "one JSON object on stdout")
    .action((file: string, options: DecompressOptions) => commands.decompress(file, options));
  addExamples(command, [
    `${program.name()} decompress ${OUT_EXAMPLE} --out restored --dtype f16`,
    `${program.name()} decompress ${OUT_EXAMPLE} --out restored --onnx`,
    `${program.name()} decompress small.kan.safetensors --original ./my-model --out restored`,
  ]);
}

function addSample(program: Command, commands: Commands): void {
  const command = program.command("sample")
    .description("Let a model write a text that it can be calibrated on, drawn at temperature 1.")
    .argument("[model]", `${MODEL} ${EMBEDDED}`, nonEmpty)
    .option("--tokens <n>", "about how many tokens", integerBetween(2, 2 ** 31 - 1), 16_384)
    .option("--context <n>", "tokens of each paragraph", integerBetween(2, 2 ** 20), 512)
    .option("--seed <n>", "seed of the draws", integerBetween(0, 2 ** 32 - 1), 0)
    .option("--out <file>", "file to write (default: stdout)", nonEmpty);
  addComputeOptions(command)
    .action((model: string | undefined, options: SampleCommandOptions) =>
      commands.sample(model, options)
    );
  addExamples(command, [`${program.name()} sample ./my-model --out calibration.txt`]);
}

function addSweep(program: Command, commands: Commands): void {
  const command = program.command("sweep")
    .description("Compress a model in many ways, measure each, and show which are best.")
    .argument("[model]", `${MODEL} ${EMBEDDED}`, nonEmpty);
  addCalibrationOptions(addMeasureOptions(addCoderOptions(command)));
  addSweepOptions(command, program.name(), (model, options) => commands.sweep(model, options));
}

function addExamples(command: Command, lines: readonly string[]): void {
  command.addHelpText("after", `\nExamples:\n${lines.map((line) => `  ${line}\n`).join("")}`);
}
