/**
 * Do perplexities agree with llama.cpp's? Measures a model by its protocol, has llama.cpp itself (npm's
 * node-llama-cpp, some 800 MB that are downloaded on first use) predict the same chunks from a GGUF file
 * of the model in float32, and prints both.
 *
 *     deno run --allow-all bench/llama_cpp_perplexity.ts
 *     deno run --allow-all bench/llama_cpp_perplexity.ts --model ./my-model --text my-text.txt --chunks 8
 *
 * Without `--model` and `--text` they are the embedded ones. Ends with status 1 where the perplexities
 * are more than a thousandth apart.
 */
import { openModel } from "../data/mod.ts";
import { llamaCppWindows } from "../eval/protocols/llama_cpp.ts";
import { describeModel } from "../eval/architectures/registry.ts";
import { evaluateLanguageModel, readStateDict, useBackend } from "../eval/mod.ts";
import { planGguf } from "../gguf/mod.ts";
import { startLlamaCpp } from "../interop/start_llama_cpp.ts";
import { readOptions } from "./support/command_line.ts";
import { readTextOr } from "./support/read_text.ts";
import { readTokenizerFiles } from "./support/real_models/float_gguf.ts";
import { printTable } from "./support/theory/table.ts";

const options = readOptions({
  model: { type: "string" },
  text: { type: "string" },
  chunks: { type: "string", default: "8" },
  context: { type: "string", default: "256" },
});

await useBackend("wasm");
const source = await openModel(options.model);
const { config } = source;
const tokenizer = await source.tokenizer();
const text = await readTextOr("evaluation", "--text", options.text);
const original = await readStateDict(source);
const contextLength = Math.min(
  Number(options.context),
  describeModel(config, original.keys()).contextLength,
);
const tokens = tokenizer.encode(text).subarray(0, Number(options.chunks) * contextLength);
const bos = tokenizer.addsBos && { bosTokenId: tokenizer.bosTokenId! };
const { perplexity } = await evaluateLanguageModel({
  config,
  original,
  tokens,
  contextLength,
  ...bos,
});
const theirs = Math.exp(await meanLossOfLlamaCpp());
const ratio = perplexity.original / theirs;
printTable(["model", "tokens", "kanpress", "llama.cpp", "ratio"], [[
  source.name,
  `${tokens.length}`,
  perplexity.original.toFixed(4),
  theirs.toFixed(4),
  ratio.toFixed(5),
]]);
if (!(Math.abs(ratio - 1) <= 1e-3)) Deno.exit(1);

/** Mean loss of the same predictions by llama.cpp, nats. */
async function meanLossOfLlamaCpp(): Promise<number> {
  const path = await Deno.makeTempFile({ suffix: ".gguf" });
  try {
    const files = await readTokenizerFiles(source);
    const plan = planGguf({
      config,
      weights: source.weights,
      ...(files !== undefined && { tokenizer: files }),
    }, "f32");
    await Deno.writeFile(path, ReadableStream.from(plan.chunks()));
    const llama = await startLlamaCpp(path);
    let sum = 0, count = 0;
    for (const { tokens: chunk } of llamaCppWindows({ tokens, contextLength, ...bos })) {
      const scores = await llama.score([...chunk], contextLength);
      const columns = scores.length / chunk.length;
      for (let i = Math.floor(contextLength / 2); i < contextLength - 1; i++) {
        sum -= scores[i * columns + chunk[i + 1]!]!;
        count++;
      }
    }
    await llama.close();
    return sum / count;
  } finally {
    await Deno.remove(path);
  }
}
