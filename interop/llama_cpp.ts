/**
 * Runs a GGUF file with llama.cpp, by way of node-llama-cpp, in a process of its own, so that the
 * package is not a dependency of kanpress: `deno run --allow-all interop/llama_cpp.ts MODEL`. Reads
 * requests from stdin and writes results to stdout, each a line of JSON; `start_llama_cpp.ts` is the
 * other end. One thread of the processor.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { getLlama, LlamaLogLevel, type Token } from "node-llama-cpp";
import type { LlamaCppAnswer, LlamaCppRequest } from "./start_llama_cpp.ts";

const [modelPath] = Deno.args;
// Without arguments it only finds out whether the package is there.
if (modelPath === undefined) Deno.exit(0);
const llama = await getLlama({
  gpu: false,
  build: "never",
  skipDownload: true,
  maxThreads: 1,
  logLevel: LlamaLogLevel.error,
  logger: (_, message) => console.error(message),
});
const model = await llama.loadModel({ modelPath });

/** Log-probabilities of every token after each of these, `[tokens, vocabulary]`. */
async function score(tokens: readonly number[], contextSize: number): Promise<Float32Array> {
  const context = await model.createContext({
    contextSize,
    flashAttention: false,
    threads: 1,
    // Its default of F16 would be the largest difference.
    experimentalKvCacheKeyType: "F32",
    experimentalKvCacheValueType: "F32",
  });
  // As the model gives them: no token is left out, none made likelier.
  const options = { temperature: 1, topK: 0, topP: 1, minP: 0 };
  const generateNext = { probabilities: true, options } as const;
  const evaluated = await context.getSequence().controlledEvaluate(
    tokens.map((token) => [token as Token, { generateNext }]),
  );
  const rows = evaluated.map((result) => {
    const probabilities = result?.next.probabilities;
    if (probabilities === undefined) throw new Error("llama.cpp gave no probabilities");
    const row = new Float32Array(probabilities.size);
    for (const [token, probability] of probabilities) row[token] = Math.log(probability);
    return row;
  });
  await context.dispose();
  const values = new Float32Array(rows.length * rows[0]!.length);
  rows.forEach((row, i) => values.set(row, i * row.length));
  return values;
}

async function answer(request: LlamaCppRequest): Promise<LlamaCppAnswer> {
  if ("texts" in request) {
    const idsOf = (text: string) => [...model.tokenize(text, request.special)];
    return { ids: request.texts.map(idsOf) };
  }
  const values = await score(request.tokens, request.contextSize);
  return { base64: new Uint8Array(values.buffer).toBase64() };
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
Deno.exit(0);
