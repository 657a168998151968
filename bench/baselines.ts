/**
 * How do the published methods compare with kanpress' presets? Prints whole-file bits, divergence and
 * perplexity, side by side in one run on the embedded model. Methods that can use calibration get it;
 * all code every matrix, embeddings included.
 *
 *     deno run --allow-all bench/baselines.ts
 *     deno run --allow-all bench/baselines.ts --methods q4_k,gptq-4-g64,rate-4,rate-2.5 --chunks 100
 *
 * Calibrates and measures on the embedded texts, or on those of `--calibration` and `--text`.
 *
 * Methods are the names of `BASELINES`, a preset with its bits per parameter, such as `rate-3`, or
 * one of llama.cpp's file types, which mix GGUF's formats: these are also set beside what llama.cpp
 * itself reaches, with the embedding of inputs stored apart and as coarse as llama.cpp's. On a text
 * of `--text`, which is then taken for llama.cpp's, it ends with status 1 where one is more than a
 * tenth worse than llama.cpp's.
 */
import type { StateDict } from "../data/mod.ts";
import {
  decompressWeights,
  HierarchicalCompressor,
  type Preset,
  PRESETS,
} from "../hierarchy/mod.ts";
import { formatCount } from "../eval/report/number_text.ts";
import { BASELINES, compressWithBaseline } from "../baselines/mod.ts";
import { endFor, readOptions } from "./support/command_line.ts";
import {
  openEmbeddedCalibrated,
  TEXT_OPTIONS,
  TIED_EMBEDDING,
} from "./support/theory/calibrated_model.ts";
import {
  ggufInputEmbedding,
  ggufMixture,
  LLAMA_CPP_FILES,
} from "./support/theory/gguf_mixtures.ts";
import { printTable } from "./support/theory/table.ts";

const DEFAULT_METHODS = [
  ...LLAMA_CPP_FILES.keys(),
  ...["q8_0", "q6_k", "q5_k", "q4_k", "q4_0", "q3_k", "q2_k", "nf4", "nf4-double"],
  ...["rtn-sym-4-g32", "rtn-asym-4-g32", "rtn-clip-4-g32", "rtn-asym-3-g32", "rtn-clip-3-g32"],
  ...["hqq-4-g64", "hqq-3-g64", "sinq-4-g64", "sinq-3-g64"],
  ...["gptq-4-g128", "gptq-order-4-g128", "gptq-order-3-g64", "gptq-order-2-g32"],
  ...["prune-magnitude-30", "prune-activation-30", "prune-activation-50-4bit"],
  ...["rate-2", "rate-2.5", "rate-3", "rate-4", "rate-5", "seed", "hybrid-4", "hybrid-3"],
];

const args = readOptions({
  ...TEXT_OPTIONS,
  methods: { type: "string", default: DEFAULT_METHODS.join(",") },
});
const methods = args.methods.split(",");
const unknown = methods.find((name) =>
  !BASELINES.has(name) && !LLAMA_CPP_FILES.has(name) &&
  !PRESETS.some((preset) => preset === name.split("-")[0])
);
if (unknown !== undefined) endFor(`--methods: ${unknown} is neither a baseline nor a preset`);
const model = await openEmbeddedCalibrated(args);
const { weights, metrics, config } = model;

async function compress(method: string): Promise<{ weights: StateDict; bitsPerWeight: number }> {
  const baseline = BASELINES.get(method) ?? ggufMixture(method, Number(config.n_layer));
  if (baseline !== undefined) return compressWithBaseline(weights, baseline, { metrics });
  const [preset, bits] = method.split("-");
  const compressor = new HierarchicalCompressor({
    preset: preset as Preset,
    ...(bits === undefined ? {} : { bits: Number(bits) }),
  });
  const { bytes, report } = await compressor.compress(weights, { metrics, config });
  return { weights: await decompressWeights(bytes), bitsPerWeight: report.bitsPerWeight };
}

const rows: { bits: number; cells: string[] }[] = [];
const divergences = new Map<string, { tied: number; untied: number }>();
let original = 0, tokens = 0;
for (const method of methods) {
  const start = performance.now();
  const { weights: compressed, bitsPerWeight } = await compress(method);
  const seconds = (performance.now() - start) / 1000;
  const { klDivergence, sameTop1, perplexity, ...rest } = await model.evaluate(compressed);
  [original, tokens] = [perplexity.original, rest.tokens];
  const cells = [
    method,
    bitsPerWeight.toFixed(3),
    klDivergence!.mean.toPrecision(3),
    klDivergence!.p999.toPrecision(3),
    `${(100 * sameTop1!.share).toFixed(1)} %`,
    perplexity.compressed!.toFixed(2),
    seconds.toFixed(1),
  ];
  rows.push({ bits: bitsPerWeight, cells });
  if (LLAMA_CPP_FILES.has(method)) {
    const embedding = ggufInputEmbedding(method, weights.get(TIED_EMBEDDING)!);
    const untied = (await model.evaluateUntied(compressed, embedding)).klDivergence!;
    divergences.set(method, { tied: klDivergence!.mean, untied: untied.mean });
  }
  console.error(cells.join("  "));
}
rows.sort((a, b) => b.bits - a.bits);
console.log(`${tokens} tokens, original perplexity ${original.toFixed(2)}\n`);
printTable(
  ["method", "bits", "KL", "99.9 % KL", "same top 1", "perplexity", "seconds"],
  rows.map(({ cells }) => cells),
);
if (divergences.size > 0) {
  console.log();
  printTable(
    [
      "file type",
      "bytes of llama.cpp",
      "KL of llama.cpp, all of the text",
      "KL here",
      "KL here, tied",
    ],
    Array.from(divergences, ([type, { tied, untied }]) => {
      const { bytes, klDivergence } = LLAMA_CPP_FILES.get(type)!;
      return [
        type,
        formatCount(bytes),
        `${klDivergence}`,
        untied.toPrecision(3),
        tied.toPrecision(3),
      ];
    }),
  );
}
const isCrippled = Array.from(
  divergences,
  ([type, { untied }]) => untied > 1.1 * LLAMA_CPP_FILES.get(type)!.klDivergence,
);
if (args.text !== undefined && isCrippled.includes(true)) Deno.exit(1);
