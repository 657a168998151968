/**
 * Lets transformers.js continue a text with a model that kanpress compressed, with no hub:
 *
 *     deno run --allow-all interop/transformers_js.ts FOLDER PROMPT
 *
 * where FOLDER is what `deno task compress` wrote. The weights are decompressed, written as ONNX
 * into a temporary folder, and read from there by the library.
 */
import { join } from "node:path";
import { env, pipeline, TextStreamer } from "@huggingface/transformers";
import { openFile } from "../data/file_source.ts";
import { encodeOnnxModel } from "../data/onnx/onnx_model.ts";
import { languageModelGraph } from "../eval/onnx/language_model_graph.ts";
import { openContainer } from "../hierarchy/file/container.ts";
import { decompressWeights } from "../hierarchy/decompress.ts";

const [folder = "compressed/prose-4m-rate-4bit", prompt = "The old house"] = Deno.args;
const file = await openFile(join(folder, "model.kan.safetensors"));
const { config } = await openContainer(file);
if (config === undefined) throw new Error(`${file.name}: has no config`);
const weights = await decompressWeights(file);

const models = await Deno.makeTempDir();
const model = join(models, "restored");
try {
  await Deno.mkdir(join(model, "onnx"), { recursive: true });
  await Deno.writeFile(
    join(model, "onnx", "model.onnx"),
    ReadableStream.from(encodeOnnxModel(languageModelGraph(config, weights))),
  );
  await Deno.writeTextFile(join(model, "config.json"), JSON.stringify(config));
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    await Deno.copyFile(join(folder, name), join(model, name));
  }
  env.localModelPath = models;
  env.allowRemoteModels = false;
  const generate = await pipeline("text-generation", "restored", { dtype: "fp32", device: "cpu" });
  await generate(prompt, {
    // BOS, where the model's tokenizer adds it to a text.
    add_special_tokens: true,
    max_new_tokens: 40,
    do_sample: false,
    streamer: new TextStreamer(generate.tokenizer),
  });
  await generate.dispose();
} finally {
  await Deno.remove(models, { recursive: true });
}
