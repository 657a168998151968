import { type Command, Option } from "commander";
import { addExamples, COMPRESSED, OUT_EXAMPLE, type Start } from "./options/command.ts";
import { ggufWeightTypes } from "../gguf/tensor_types.ts";
import { nonEmpty, onnxTypeList } from "./options/options.ts";

/** Adds `decompress` to the program. */
export function addDecompress(program: Command, start: Start): void {
  const command = program.command("decompress")
    .description(
      "Write a compressed model as an ordinary model folder, or as a GGUF file for llama.cpp.",
    )
    .argument("<file>", COMPRESSED, nonEmpty)
    .requiredOption("--out <path>", "folder to write, or a .gguf file alone", nonEmpty)
    .option(
      "--original <model>",
      "where to take the tokenizer from (default: beside the file)",
      nonEmpty,
    )
    .addOption(
      new Option("--dtype <type>", "element type of the weights").choices(["f32", "f16", "bf16"])
        .default("f32"),
    )
    .option(
      "--onnx [types]",
      "also write ONNX for transformers.js: some of f32, f16, q8, int8 (default: f32,q8)",
      onnxTypeList,
    )
    .addOption(
      new Option(
        "--gguf <type>",
        "also write model.gguf for llama.cpp, with matrices of this type",
      ).choices(ggufWeightTypes),
    )
    .option("--json", "one JSON object on stdout")
    .action(start(async () => (await import("./decompress.ts")).decompress));
  addExamples(program, command, [
    `decompress ${OUT_EXAMPLE} --out restored --dtype f16`,
    `decompress ${OUT_EXAMPLE} --out restored --onnx`,
    `decompress ${OUT_EXAMPLE} --out web --onnx q8,f16`,
    `decompress ${OUT_EXAMPLE} --out my.gguf --gguf q8_0`,
    "decompress a.kan.safetensors --original ./my-model --out restored",
  ]);
}
