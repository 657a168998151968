import { type Command, Option } from "commander";
import { STATE_COUNTS } from "../../hierarchy/format/constants.ts";
import { BACKEND_NAMES } from "../../eval/compute/backend_names.ts";
import { protocolNames } from "../../eval/protocols/protocol.ts";
import { isNativeInstalled } from "../../eval/native/runtime.ts";
import { taskNames } from "../../eval/tasks/registry.ts";
import { EFFORTS } from "../../hierarchy/choose_states.ts";
import { PROGRESS_STYLES } from "../terminal/progress_display.ts";
import { LEAST_LOSS, MOST_LOSS } from "../../eval/calibration/loss_range.ts";
import {
  integerBetween,
  nonEmpty,
  percentageBetween,
  severalFiles,
  stateCount,
} from "./options.ts";

/** Adds the options that choose the questions of a task; `purpose` is what asking them is for. */
export function addTaskOptions(command: Command, purpose: string): void {
  command
    .addOption(new Option("--task <name>", purpose).choices(taskNames))
    .option("--data <file>", "their JSONL or Parquet file, or hf://datasets/… (default)", nonEmpty)
    .option("--limit <n>", "ask at most n questions", integerBetween(1, 1e9));
}

/** Adds the options of the coder. */
export function addCoderOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--effort <name>", "how long to search for a smaller error (default: normal)")
        .choices(EFFORTS),
    )
    .option(
      "--states <n>",
      `trellis states, 1 to ${STATE_COUNTS.at(-1)}, instead of the effort's`,
      stateCount,
    )
    .option("--uniform", "the same bits per weight for all matrices, for comparison")
    .option(
      "--correct-drift",
      "quantize each layer against what those before it, quantized, give, which takes time " +
        "(default: with every effort but fast)",
    )
    .option("--no-correct-drift", "quantize all layers at once");
}

/** Adds the options that say how to calibrate. */
export function addCalibrationOptions(command: Command): Command {
  return command
    .option(
      "--calibration <file>",
      "text, .jsonl or .parquet that tells which weights matter; again for others, mixed evenly " +
        "(default: texts of many kinds)",
      severalFiles,
    )
    .option(
      "--calibration-tokens <n>",
      "calibrate on at most n tokens (default: 32768)",
      integerBetween(2, 2 ** 31 - 1),
    )
    .option(
      "--calibration-loss <share>",
      "stop calibrating where more text would lower the divergence by no more than this, such as 5% " +
        "(default: read all the tokens)",
      percentageBetween(100 * LEAST_LOSS, 100 * MOST_LOSS),
    )
    .option("--no-cache", "calibrate again, and keep nothing on disk but the output")
    .option("--data-free", "no calibration: spend bits by the size of the weights alone")
    .option("--seed <n>", "seed of everything random", integerBetween(0, 2 ** 32 - 1), 0);
}

/**
 * Adds the options that say how to measure on a text, or on several, and those of
 * {@linkcode addComputeOptions}.
 */
export function addMeasureOptions(command: Command, several = true): Command {
  return addComputeOptions(command)
    .option(
      "--text <file>",
      `text to measure on${several ? ", again for others" : ""} (default: the embedded text)`,
      severalFiles,
    )
    .option("--tokens <n>", "measure on at most n tokens", integerBetween(2, 2 ** 31 - 1))
    .addOption(
      new Option(
        "--protocol <name>",
        "how the text is divided (default: llama.cpp, masked: pseudo)",
      )
        .choices(protocolNames),
    )
    .option("--context <n>", "tokens in a chunk (default: the protocol's)", integerBetween(2, 1e6))
    .option("--stride <n>", "for huggingface (default: half a context)", integerBetween(1, 1e6))
    .option("--json", "one JSON object on stdout, everything else on stderr");
}

/** Adds the option that asks which part of a model costs how much. */
export function addPartsOption(command: Command): Command {
  return command.option(
    "--by-part",
    "measure again with embedding, head, attention and feed-forward as they were, one by one",
  );
}

/** Adds the options that say what the models run on. */
export function addComputeOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--threads <n>", "number of parallel workers")
        .argParser(integerBetween(1, 256)).default(navigator.hardwareConcurrency, "all cores"),
    )
    .addOption(
      new Option("--backend <name>", "what runs the models")
        .choices(BACKEND_NAMES)
        .default(
          isNativeInstalled() ? "native" : "wasm",
          "native where it is installed, otherwise wasm",
        ),
    );
}

/** Adds the option that says where machines that share work keep what they send each other. */
export function addStoreOption(command: Command): Command {
  return command.option(
    "--store <place>",
    "folder that all machines see, or address for GET and PUT, for what they send each other " +
      "(default: Redis)",
    nonEmpty,
  );
}

/** Adds the option that says how progress is shown on stderr. */
export function addProgressOption(command: Command): Command {
  return command.addOption(
    new Option(
      "--progress <how>",
      "progress on stderr: json is for programs (default: a bar, or lines without a terminal)",
    ).choices(PROGRESS_STYLES),
  );
}
