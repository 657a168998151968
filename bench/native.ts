/**
 * How much faster is the native engine than WebAssembly, and how much memory does each take? Evaluates
 * a model beside a slightly changed one, and calibrates it, each in a process of its own, one after
 * another in one run; prints time, processor time, peak memory (Linux only) and how far the figures
 * are apart.
 *
 *     deno run --allow-all bench/native.ts
 *     deno run --allow-all bench/native.ts --model ./SmolLM2-135M-Instruct --tokens 2048
 *
 * Without `--model` it is the embedded model. `--text` is a file to read instead of the embedded text;
 * `--threads` is the number of threads, all cores if omitted.
 */
import process from "node:process";
import { greatest } from "../data/extremes.ts";
import { openModel, type StateDict } from "../data/mod.ts";
import { withValues } from "../data/tensor.ts";
import { calibrate, evaluateLanguageModel, readStateDict } from "../eval/mod.ts";
import { endFor, readOptions } from "./support/command_line.ts";
import { residentMemory } from "./support/resident_memory.ts";
import { isNativeInstalled } from "../eval/native/runtime.ts";
import { readTextOr } from "./support/read_text.ts";
import { printTable } from "./support/theory/table.ts";

const engines = ["wasm", "native"] as const;
const works = ["evaluate", "calibrate"] as const;

/** What a process found. */
interface Outcome {
  /** Seconds of the work alone, without reading the model. */
  readonly seconds: number;
  readonly processorSeconds: number;
  /** Figures by name, to be compared with those of the other engine. */
  readonly figures: Readonly<Record<string, number>>;
}

const options = readOptions({
  model: { type: "string" },
  text: { type: "string" },
  tokens: { type: "string", default: "4096" },
  threads: { type: "string", default: `${navigator.hardwareConcurrency}` },
  engine: { type: "string" },
  work: { type: "string" },
});

/** A model that differs a little, as a compressed one does; without a copy of norms and biases. */
function disturb(weights: StateDict): StateDict {
  return new Map(Array.from(weights, ([name, tensor]) => {
    if (tensor.shape.length === 1) return [name, tensor];
    const data = tensor.data.map((value, i) => value * (1 + 0.03 * Math.sin(i)));
    return [name, withValues(tensor, data)];
  }));
}

async function measure(work: string, backend: typeof engines[number]): Promise<Outcome> {
  const source = await openModel(options.model);
  const text = await readTextOr("evaluation", "--text", options.text);
  const tokens = (await source.tokenizer()).encode(text).subarray(0, Number(options.tokens));
  const { config } = source;
  const weights = await readStateDict(source);
  const common = { config, tokens, backend, threads: Number(options.threads) };
  const compressed = work === "evaluate" ? disturb(weights) : undefined;
  const before = process.cpuUsage();
  const start = performance.now();
  const found = compressed === undefined
    ? { linears: (await calibrate({ ...common, weights })).linears }
    : await evaluateLanguageModel({ ...common, original: weights, compressed });
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - start) / 1000;
  const figures: Record<string, number> = {};
  if ("perplexity" in found) {
    figures["perplexity"] = found.perplexity.original;
    figures["mean KL divergence"] = found.klDivergence!.mean;
  } else {
    for (const [name, { hessian, fisher }] of found.linears) {
      figures[`inputs of ${name}`] = trace(hessian);
      figures[`outputs of ${name}`] = fisher!.reduce((sum, value) => sum + value, 0);
    }
  }
  return { seconds, processorSeconds: (user + system) / 1e6, figures };
}

function trace(matrix: Float64Array): number {
  const size = Math.sqrt(matrix.length);
  let sum = 0;
  for (let i = 0; i < size; i++) sum += matrix[i * (size + 1)]!;
  return sum;
}

/** Runs this file for one piece of work, and watches its memory. */
async function runAlone(
  work: string,
  engine: string,
): Promise<Outcome & { readonly peak: number }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--allow-all", import.meta.filename!, ...Deno.args]
      .concat("--work", work, "--engine", engine),
    stdout: "piped",
  }).spawn();
  let peak = 0;
  const timer = setInterval(() => peak = Math.max(peak, residentMemory(child.pid, "VmHWM")), 50);
  const [text, { code }] = await Promise.all([new Response(child.stdout).text(), child.status]);
  clearInterval(timer);
  if (code !== 0) Deno.exit(code);
  return { ...JSON.parse(text), peak };
}

if (options.work !== undefined) {
  console.log(JSON.stringify(await measure(options.work, options.engine as "wasm")));
  Deno.exit(0);
}
if (!isNativeInstalled()) {
  endFor("onnxruntime-node is not installed; run `deno task native:install`");
}
console.log(`${options.model ?? "prose-4m"}, ${options.tokens} tokens, ${options.threads} threads`);
console.log();
const rows: string[][] = [];
for (const work of works) {
  const found: Awaited<ReturnType<typeof runAlone>>[] = [];
  for (const engine of engines) {
    found.push(await runAlone(work, engine));
    const [first, last] = [found[0]!, found.at(-1)!];
    const apart = Object.entries(first.figures)
      .map(([name, value]) => Math.abs(last.figures[name]! / value - 1));
    rows.push([
      work,
      `\`${engine}\``,
      last.seconds.toFixed(1),
      last.processorSeconds.toFixed(1),
      `${(last.peak / 1e9).toFixed(2)} GB`,
      found.length === 1 ? "" : greatest(apart).toExponential(0),
    ]);
  }
}
printTable(["work", "engine", "seconds", "CPU seconds", "peak memory", "figures apart"], rows);
