import { type Command, Option } from "commander";
import { addExamples, COMPRESSED, OUT_EXAMPLE, type Start } from "./options/command.ts";
import { nonEmpty } from "./options/options.ts";

/** Adds `decompress` to the program. */
export function addDecompress(program: Command, start: Start): void {
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
    .action(start(async () => (await import("./decompress.ts")).decompress));
  addExamples(program, command, [
    `decompress ${OUT_EXAMPLE} --out restored --dtype f16`,
    `decompress ${OUT_EXAMPLE} --out restored --onnx`,
    "decompress small.kan.safetensors --original ./my-model --out restored",
  ]);
}
