/**
 * Do perplexities agree with llama.cpp's? Measures two models by its protocol on the texts that it was
 * run on.
 *
 *     deno run --allow-all bench/llama_cpp_perplexity.ts --folder FOLDER
 *
 * The folder holds these models and texts, which are not part of the repository. Ends with status 1
 * where a perplexity is more than a thousandth away.
 */
import { openModel } from "../data/mod.ts";
import { evaluateLanguageModel, readStateDict, useBackend } from "../eval/mod.ts";
import { readOptions } from "./support/command_line.ts";
import {
  findFiles,
  LLAMA_CPP_MODELS,
  type LlamaCppModel,
} from "./support/theory/llama_cpp_figures.ts";

const { folder } = readOptions({ folder: { type: "string" } });

/** Prints both perplexities of a model; gives their ratio. */
async function compare(spec: LlamaCppModel): Promise<number> {
  const files = findFiles(folder, spec);
  const source = await openModel(files.model);
  const tokenizer = await source.tokenizer();
  const tokens = tokenizer.encode(await Deno.readTextFile(files.evaluation));
  const start = performance.now();
  const { perplexity, perplexityStandardError } = await evaluateLanguageModel({
    config: source.config,
    original: await readStateDict(source),
    tokens,
    contextLength: spec.contextLength,
    ...(tokenizer.addsBos && { bosTokenId: tokenizer.bosTokenId! }),
  });
  const seconds = (performance.now() - start) / 1000;
  const ratio = perplexity.original / spec.perplexity;
  console.log(
    `${spec.name}: perplexity ${perplexity.original.toFixed(4)} ± ` +
      `${perplexityStandardError.original.toFixed(4)}, llama.cpp ${spec.perplexity}, ratio ` +
      `${ratio.toFixed(5)}; ${tokens.length} tokens in ${seconds.toFixed(1)} s`,
  );
  return ratio;
}

await useBackend("wasm");
for (const spec of LLAMA_CPP_MODELS) {
  if (Math.abs(await compare(spec) - 1) > 1e-3) Deno.exitCode = 1;
}
