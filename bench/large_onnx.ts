/**
 * Is a model beyond 2 GiB, the limit of an ONNX file, written so that ONNX Runtime loads it, how long
 * does that take, and how much memory beside the weights? A Llama with random weights of 2.26 GiB in
 * float32 is written with external data into a folder that is removed again, loaded, and its logits
 * after four tokens are compared with those of our kernels. `--layers N` makes it smaller or larger than
 * 17 layers. Needs `deno task native:install`, and twice the model's size on the disk and in memory.
 *
 *     deno run --allow-all bench/large_onnx.ts
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { encodeOnnxFiles } from "../data/onnx/onnx_model.ts";
import { greatest } from "../data/extremes.ts";
import { elementCount, type WeightTensor } from "../data/tensor.ts";
import { writeFileAtomically } from "../data/write_file.ts";
import { describeModel } from "../eval/architectures/registry.ts";
import { findPackage } from "../eval/native/runtime.ts";
import { languageModelGraph } from "../eval/onnx/language_model_graph.ts";
import { WasmModel } from "../eval/wasm/wasm_model.ts";
import { expectedTensors } from "../eval/weights/expected_tensors.ts";
import { endFor, readOptions } from "./support/command_line.ts";

const { layers } = readOptions({ layers: { type: "string", default: "17" } });
const found = findPackage();
if (typeof found === "string") endFor(`${found}; run deno task native:install`);
Deno.env.set("ORT_DISABLE_TELEMETRY", "1");
const { InferenceSession, Tensor } = createRequire(`${found.folder}/kanpress.js`)(
  "onnxruntime-node",
);

const config = {
  model_type: "llama",
  hidden_size: 1536,
  intermediate_size: 6144,
  num_attention_heads: 16,
  num_key_value_heads: 4,
  num_hidden_layers: Number(layers),
  max_position_embeddings: 256,
  vocab_size: 16_000,
  tie_word_embeddings: true,
};
const ids = [1, 20, 300, 4000];
const model = describeModel(config, []);
const weights = new Map<string, WeightTensor>();
let seed = 1;
for (const [name, shape] of expectedTensors(model)) {
  const data = new Float32Array(elementCount(shape)).fill(1);
  for (let i = 0; shape.length > 1 && i < data.length; i++) {
    seed = Math.imul(seed, 1_664_525) + 1_013_904_223 | 0;
    data[i] = seed * 2 ** -31 * 0.04;
  }
  weights.set(name, { dtype: "F32", shape, data });
}
const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
const before = Deno.memoryUsage().rss;
let most = before;
const watch = setInterval(() => most = Math.max(most, Deno.memoryUsage().rss), 20);
const seconds = (start: number) => ((performance.now() - start) / 1000).toFixed(1);

const folder = await Deno.makeTempDir();
try {
  const writing = performance.now();
  const graph = languageModelGraph(config, weights, { matrices: { kind: "float32" } });
  for (const [file, parts] of encodeOnnxFiles(graph, "model.onnx")) {
    const path = join(folder, file);
    await writeFileAtomically(path, parts, {});
    console.log(`${file}: ${(await Deno.stat(path)).size} bytes`);
  }
  clearInterval(watch);
  console.log(
    `written in ${seconds(writing)} s; ${gibibytes(most - before)} beside ${
      gibibytes(before)
    } with ` +
      "the weights",
  );
  const kernels = WasmModel.create(model)!;
  for (const name of kernels.missing) kernels.put(name, weights.get(name)!);
  weights.clear();
  const runner = await kernels.startRunner();
  const expected = (await runner.run(Int32Array.from(ids), 1)).slice();
  runner.dispose();

  const loading = performance.now();
  const session = await InferenceSession.create(join(folder, "model.onnx"));
  console.log(`loaded by ONNX Runtime in ${seconds(loading)} s`);
  const whole = (values: number[]) =>
    new Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
  const headSize = config.hidden_size / config.num_attention_heads;
  const feeds = Object.fromEntries(session.inputNames.map((name: string) => [
    name,
    name === "input_ids"
      ? whole(ids)
      : name === "attention_mask"
      ? whole(ids.map(() => 1))
      : name === "position_ids"
      ? whole([...ids.keys()])
      : new Tensor("float32", new Float32Array(), [1, config.num_key_value_heads, 0, headSize]),
  ]));
  const { data } = (await session.run(feeds))["logits"];
  const logits: Float32Array = data.subarray(data.length - config.vocab_size);
  const apart = greatest(expected.map((value, i) => Math.abs(value - logits[i]!)));
  const share = apart / greatest(expected.map(Math.abs));
  console.log(`logits at most ${share.toExponential(1)} of the largest apart`);
  if (!(share < 1e-4)) endFor("ONNX Runtime gives other logits");
} finally {
  await Deno.remove(folder, { recursive: true });
}
