/**
 * What are gains worth that are computed instead of trained? Compresses a model at each rate and number
 * of trellis states and gives every output of a linear layer the gain that restores its second moment
 * over the calibration text, √(w H wᵀ / ŵ H ŵᵀ), half of that, or the one of least squares,
 * w H ŵᵀ / ŵ H ŵᵀ; measures the divergence from the original on other texts. Files with gains are
 * larger: the table says by how much.
 *
 *     deno run --allow-all bench/closed_form_gains.ts
 *     deno run --allow-all bench/closed_form_gains.ts --model ./my-model --backend native --bits 2,3 \
 *       --calibration prose=novels.txt --text wiki=test.txt
 */
import { embeddedModelPath, openModel } from "../data/mod.ts";
import type { BackendName } from "../eval/compute/backend.ts";
import { calibrate, evaluateLanguageModel, readStateDict, tensorMetrics } from "../eval/mod.ts";
import { describeModel } from "../eval/architectures/registry.ts";
import { modelLinears } from "../eval/weights/expected_tensors.ts";
import { sourceOf } from "../hierarchy/decode_container.ts";
import { encodeContainer, openContainer } from "../hierarchy/file/container.ts";
import { gainedTensors, type TensorGains, withGains } from "../hierarchy/gains.ts";
import { decompressWeights, factorMetrics, HierarchicalCompressor } from "../hierarchy/mod.ts";
import { readOptions } from "./support/command_line.ts";
import { readNamedTextsOr } from "./support/read_text.ts";
import { printTable } from "./support/theory/table.ts";
import { closedFormGains, type OutputGains } from "./support/tuning/closed_form_gains.ts";
import { chunksOf, joinChunks } from "./support/tuning/text_chunks.ts";

const args = readOptions({
  model: { type: "string" },
  bits: { type: "string", default: "2,2.5,3" },
  states: { type: "string", default: "1,256" },
  calibration: { type: "string", multiple: true },
  "calibration-tokens": { type: "string", default: "20480" },
  text: { type: "string", multiple: true },
  chunks: { type: "string", default: "16" },
  context: { type: "string", default: "512" },
  backend: { type: "string", default: "wasm" },
});

const numbers = (list: string) => list.split(",").map(Number);
const backend = args.backend as BackendName;
const threads = navigator.hardwareConcurrency;
const source = await openModel(args.model ?? embeddedModelPath());
const tokenizer = await source.tokenizer();
const original = await readStateDict(source);
const { config } = source;
const model = describeModel(config, original.keys());
const contextLength = Math.min(Number(args.context), model.contextLength);
const bosTokenId = tokenizer.addsBos ? tokenizer.bosTokenId : undefined;
const common = {
  config,
  contextLength,
  backend,
  threads,
  ...(bosTokenId !== undefined && { bosTokenId }),
};

async function readTokens(
  embedded: "evaluation" | "calibration",
  option: string,
  given: readonly string[] | undefined,
  tokens: number,
): Promise<{ readonly name: string; readonly tokens: Int32Array }[]> {
  const texts = await readNamedTextsOr(embedded, option, given);
  const most = Math.ceil(tokens / contextLength);
  return texts.map(({ name, text }) => ({
    name,
    tokens: joinChunks(chunksOf(source, tokenizer, text, contextLength, most)),
  }));
}

const share = Number(args["calibration-tokens"]) / (args.calibration?.length ?? 1);
const calibrationTexts = await readTokens("calibration", "--calibration", args.calibration, share);
const measured = Number(args.chunks) * contextLength;
const texts = await readTokens("evaluation", "--text", args.text, measured);
const tokens = joinChunks(calibrationTexts.map(({ tokens }) => tokens));
const metrics = tensorMetrics(model, await calibrate({ ...common, weights: original, tokens }));

const NAMES: Readonly<Record<keyof OutputGains, string>> = {
  moment: "second moment",
  leastSquares: "least squares",
  halfMoment: "half of the moment's",
};
const rows: string[][] = [];
for (const bits of numbers(args.bits)) {
  const factored = await factorMetrics(metrics, { weights: original, bits });
  for (const states of numbers(args.states)) {
    const compressor = new HierarchicalCompressor({ bits, states, threads });
    const { bytes } = await compressor.compress(original, { metrics: factored, config });
    const found = [await measure(bytes)];
    const container = await openContainer(sourceOf(bytes));
    const decoded = await decompressWeights(bytes);
    const coded = gainedTensors(container);
    const computed = modelLinears(model)
      .filter(({ weight }) => weight !== model.tokenEmbedding && coded.has(weight))
      .map(({ weight }) => {
        const { hessian, inputAxis } = metrics.get(weight)!;
        const matrices = { original: original.get(weight)!, decoded: decoded.get(weight)! };
        return { weight, inputAxis, gains: closedFormGains(matrices, hessian, inputAxis) };
      });
    let larger = "";
    for (const kind of Object.keys(NAMES) as (keyof OutputGains)[]) {
      const gains = new Map(computed.map(({ weight, inputAxis, gains }): [string, TensorGains] => {
        const outputs = gains[kind];
        const ones = new Float32Array(original.get(weight)!.shape[inputAxis]!).fill(1);
        return [
          weight,
          inputAxis === 1 ? { rows: outputs, columns: ones } : { rows: ones, columns: outputs },
        ];
      }));
      const file = await encodeContainer(withGains(container, gains, 2 ** -6));
      found.push(await measure(file));
      larger = `${(100 * (file.length / bytes.length - 1)).toFixed(2)} %`;
    }
    rows.push([`${bits}`, `${states}`, ...found, larger]);
    console.error(rows.at(-1)!.join("  "));
  }
}
console.log(`divergences on ${texts.map(({ name }) => name).join(" / ")}\n`);
printTable(["bits", "states", "as coded", ...Object.values(NAMES), "larger by"], rows);

/** A file's divergences on all texts. */
async function measure(file: Uint8Array): Promise<string> {
  const compressed = await decompressWeights(file);
  const found: string[] = [];
  for (const { tokens } of texts) {
    const { klDivergence } = await evaluateLanguageModel({
      ...common,
      original,
      compressed,
      tokens,
    });
    found.push(klDivergence!.mean.toPrecision(4));
  }
  return found.join(" / ");
}
