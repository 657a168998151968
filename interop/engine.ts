/**
 * Runs an ONNX model that `encodeOnnxModel` wrote, in a process of its own, so that the packages
 * are not dependencies of kanpress: `deno run --allow-all interop/engine.ts ENGINE MODEL`, where
 * the engine is onnxruntime-node, onnxruntime-web or transformers.js. Reads requests from stdin and
 * writes results to stdout, each a line of JSON; `start_engine.ts` is the other end. One thread.
 */
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import type * as Runtime from "onnxruntime-common";
import type { EncodedResult, EngineRequest } from "./start_engine.ts";

/** Gives the logits `[rows, vocabulary]`, or the graph's output where it was given labels. */
type Run = (request: EngineRequest) => Promise<Float32Array<ArrayBuffer>>;

async function openEngine(name: string, model: string): Promise<Run> {
  switch (name) {
    case "onnxruntime-node":
      return await openOnnx(await import("onnxruntime-node"), model, "cpu", model);
    case "onnxruntime-web": {
      const runtime = await import("onnxruntime-web");
      runtime.env.wasm.numThreads = 1;
      return await openOnnx(runtime, model, "wasm", await Deno.readFile(model));
    }
    case "transformers.js":
      return await openTransformers(model);
    default:
      throw new Error(`there is no engine ${name}`);
  }
}

async function openOnnx(
  { InferenceSession, Tensor }: Pick<typeof Runtime, "InferenceSession" | "Tensor">,
  path: string,
  provider: string,
  source: string | Uint8Array,
): Promise<Run> {
  const options = {
    executionProviders: [provider],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    externalData: typeof source === "string" ? [] : dataBeside(path),
  };
  const session = typeof source === "string"
    ? await InferenceSession.create(source, options)
    : await InferenceSession.create(source, options);
  return async ({ tokens, labels, batch, mask = tokens.map(() => 1) }) => {
    const integers = (values: readonly number[]) =>
      new Tensor("int64", BigInt64Array.from(values, BigInt), [batch, values.length / batch]);
    const results = await session.run({
      input_ids: integers(tokens),
      ...(session.inputNames.includes("attention_mask") && { attention_mask: integers(mask) }),
      ...(session.inputNames.includes("labels") && { labels: integers(labels) }),
    });
    return results[session.outputNames[0]!]!.data as Float32Array<ArrayBuffer>;
  };
}

/** The files beside a model that hold its data. */
function dataBeside(path: string): { path: string; data: Uint8Array }[] {
  const name = basename(path);
  return [...Deno.readDirSync(dirname(path))].filter((file) => file.name.startsWith(`${name}_data`))
    .map((file) => ({ path: file.name, data: Deno.readFileSync(join(dirname(path), file.name)) }));
}

async function openTransformers(folder: string): Promise<Run> {
  const { AutoModelForCausalLM, env, Tensor } = await import("@huggingface/transformers");
  env.allowRemoteModels = false;
  env.localModelPath = dirname(resolve(folder));
  const model = await AutoModelForCausalLM.from_pretrained(basename(folder), {
    device: "cpu",
    dtype: "fp32",
    session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
  });
  return async ({ tokens, batch }) => {
    const shape = [batch, tokens.length / batch];
    const { logits } = await model({
      input_ids: new Tensor("int64", BigInt64Array.from(tokens, BigInt), shape),
      attention_mask: new Tensor("int64", new BigInt64Array(tokens.length).fill(1n), shape),
    });
    return logits.data;
  };
}

/** Log-probability of each row's label, given logits. */
function logProbabilities(
  logits: Float32Array,
  labels: readonly number[],
): Float32Array<ArrayBuffer> {
  const columns = logits.length / labels.length;
  return Float32Array.from(labels, (label, row) => {
    const values = logits.subarray(row * columns, (row + 1) * columns);
    let largest = -Infinity;
    for (let i = 0; i < columns; i++) largest = Math.max(largest, values[i]!);
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += Math.exp(values[i]! - largest);
    return values[label]! - largest - Math.log(sum);
  });
}

async function answer(run: Run, request: EngineRequest): Promise<EncodedResult> {
  const before = process.cpuUsage();
  const start = performance.now();
  let values = await run(request);
  if (request.wants === "logProbabilities" && values.length !== request.labels.length) {
    values = logProbabilities(values, request.labels);
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { seconds, processorSeconds: (user + system) / 1e6, base64: bytes.toBase64() };
}

const [name, model] = Deno.args;
if (name === undefined || model === undefined) {
  // Without arguments it only finds out whether the packages are there.
  for (const each of ["onnxruntime-node", "onnxruntime-web", "@huggingface/transformers"]) {
    await import(each);
  }
  Deno.exit(0);
}
const run = await openEngine(name, model);
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(run, JSON.parse(line))));
}
Deno.exit(0);
