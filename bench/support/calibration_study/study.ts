import { readCalibrationTexts } from "../../../data/calibration_texts.ts";
import { InputError, openModel, readEmbeddedText, type StateDict } from "../../../data/mod.ts";
import {
  type BaseEvaluation,
  calibrate,
  evaluateLanguageModel,
  evaluateOriginal,
  readStateDict,
  tensorMetrics,
} from "../../../eval/mod.ts";
import { describeModel } from "../../../eval/architectures/registry.ts";
import {
  packCalibration,
  type PackedCalibration,
  unpackCalibration,
} from "../../../eval/calibration/packed_calibration.ts";
import type { BackendName } from "../../../eval/compute/backend.ts";
import {
  decompressWeights,
  factorMetrics,
  HierarchicalCompressor,
} from "../../../hierarchy/mod.ts";
import { spread } from "../../../eval/calibration/choose_chunks.ts";
import { readNamedText } from "../read_text.ts";
import { mixCalibrations } from "./mix_calibrations.ts";
import type { Try } from "./parse_try.ts";

/** What a study is told. */
export interface StudyOptions {
  readonly model: string;
  /** `name=file#from-to`. */
  readonly calibrate: readonly string[];
  /** The same; the embedded text if there is none. */
  readonly text: readonly string[];
  /** Tokens of each text to calibrate on. */
  readonly tokens: number;
  /** Chunks of each text to measure on. */
  readonly chunks: number;
  readonly contextLength: number;
  readonly backend: string;
  readonly seed: number;
  readonly threads: number;
}

/** What a try came to. */
export interface TryResult {
  /** All of it, as one line of JSON. */
  readonly line: unknown;
  /** Mean divergences on the texts, nats. */
  readonly divergences: readonly number[];
}

/** A model whose calibrations are mixed and tried. */
export interface Study {
  /** Compresses as a try says, and measures. */
  run(one: Try, at: { readonly bits: number; readonly states: number }): Promise<TryResult>;
  /** Names of the texts that are measured. */
  readonly texts: readonly string[];
}

/** Opens the model and the texts; throws {@linkcode InputError} where one is missing. */
export async function openStudy(options: StudyOptions): Promise<Study> {
  const source = await openModel(options.model);
  const { config } = source;
  const weights = await readStateDict(source);
  const tokenizer = await source.tokenizer();
  const description = describeModel(config, weights.keys());
  const contextLength = Math.min(options.contextLength, description.contextLength);
  const common = {
    config,
    contextLength,
    backend: options.backend as BackendName,
    threads: options.threads,
    ...(tokenizer.addsBos && { bosTokenId: tokenizer.bosTokenId! }),
  };
  const own = await readCalibrationTexts();
  const kinds = own.map(({ kind }) => kind);
  const texts = new Map(own.map(({ kind, text }) => [kind, text]));
  for (const given of options.calibrate) {
    const { name, text } = await readNamedText(given, "--calibrate");
    texts.set(name, text);
  }
  const calibrations = new Map<string, PackedCalibration>();
  const mixtures = new Map<string, PackedCalibration>();
  const calibrated = async (name: string): Promise<PackedCalibration> => {
    const known = calibrations.get(name);
    if (known !== undefined) return known;
    const text = texts.get(name);
    if (text === undefined) throw new InputError(`${name}: is none of ${[...texts.keys()]}`);
    const start = performance.now();
    const tokens = spread(tokenizer.encode(text), options.tokens, contextLength);
    const made = packCalibration(
      await calibrate({ ...common, weights, tokens, seed: options.seed }),
    );
    console.error(
      `calibrated on ${made.tokens} tokens of ${name}: ${seconds(start).toFixed(1)} s`,
    );
    calibrations.set(name, made);
    return made;
  };
  const mixture = async ({ texts }: Try): Promise<PackedCalibration> => {
    const parts = [...texts].flatMap(([name, weight]) =>
      (name === "cover" ? kinds : [name]).map((kind) => ({ kind, weight }))
    );
    const key = JSON.stringify(parts);
    const known = mixtures.get(key);
    if (known !== undefined) return known;
    const weighted = [];
    for (const { kind, weight } of parts) {
      weighted.push({ calibration: await calibrated(kind), weight });
    }
    const mixed = weighted.length === 1 ? weighted[0]!.calibration : mixCalibrations(weighted);
    // One after another is tried with the same texts.
    mixtures.clear();
    mixtures.set(key, mixed);
    return mixed;
  };
  const measured = new Map<string, { tokens: Int32Array; base: BaseEvaluation }>();
  const embedded = async () => [{ name: "embedded", text: await readEmbeddedText() }];
  const measuredTexts = options.text.length === 0
    ? await embedded()
    : await Promise.all(options.text.map((given) => readNamedText(given, "--text")));
  for (const { name, text } of measuredTexts) {
    const tokens = tokenizer.encode(text).subarray(0, options.chunks * contextLength);
    const { base } = await evaluateOriginal({ ...common, original: weights, tokens });
    measured.set(name, { tokens, base });
  }
  const evaluate = async (compressed: StateDict) => {
    const results: Record<
      string,
      Readonly<Record<"kl" | "error" | "p999" | "perplexity", number>>
    > = {};
    for (const [name, text] of measured) {
      const { klDivergence, perplexity } = await evaluateLanguageModel({
        ...common,
        ...text,
        original: weights,
        compressed,
      });
      results[name] = {
        kl: Number(klDivergence!.mean.toPrecision(5)),
        error: Number(klDivergence!.standardError.toPrecision(2)),
        p999: Number(klDivergence!.p999.toPrecision(4)),
        perplexity: Number(perplexity.compressed!.toPrecision(6)),
      };
    }
    return results;
  };
  return {
    texts: [...measured.keys()],
    async run(one, { bits, states }) {
      const mixed = await mixture(one);
      const start = performance.now();
      const { predicted } = one;
      const metrics = tensorMetrics(description, unpackCalibration(mixed), {
        ...(predicted !== undefined && { predictedShare: predicted }),
      });
      const factored = await factorMetrics(metrics, {
        weights,
        bits,
        ...(one.noise !== undefined && { tokensPerSample: one.noise }),
      });
      const compressor = new HierarchicalCompressor({
        bits,
        states,
        threads: options.threads,
      });
      const { bytes, report } = await compressor.compress(weights, { metrics: factored, config });
      const compressing = seconds(start);
      const results = await evaluate(await decompressWeights(bytes));
      const line = {
        try: one.label,
        bits: Number(report.bitsPerWeight.toFixed(4)),
        states,
        ...results,
        seconds: [
          Number(compressing.toFixed(1)),
          Number((seconds(start) - compressing).toFixed(1)),
        ],
      };
      return { line, divergences: Object.values(results).map(({ kl }) => kl) };
    },
  };
}

function seconds(start: number): number {
  return (performance.now() - start) / 1000;
}
