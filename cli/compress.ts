import { type ModelSource, openFile, openModel } from "../data/mod.ts";
import { decompressWeights, HierarchicalCompressor } from "../hierarchy/mod.ts";
import { prepareCompressedOutput } from "./compressed_output.ts";
import { UsageError } from "./errors.ts";
import { measureModels, readMeasuredText } from "./measure.ts";
import { modelLabel } from "./options.ts";
import { checkModel, readFiniteWeights } from "./original_model.ts";
import { Phases, type Report } from "./phases.ts";
import type { CompressOptions } from "./program.ts";
import { compressionFields, type CompressionOutcome, compressionText } from "./report.ts";
import type { Session } from "./session.ts";

/** Target of the presets that have one, in bits per weight of the whole file. */
const DEFAULT_BITS = 4;

/** `compress`: compresses a model, writes it, reads it back, and measures what that cost. */
export async function compress(
  modelName: string | undefined,
  options: CompressOptions,
  session: Session,
): Promise<void> {
  checkCombination(options);
  const phases = new Phases(session, session.signal);
  const model = await openModel(modelName);
  const contextLength = checkModel(model);
  const text = await readMeasuredText(options, await model.tokenizer(), contextLength);
  const output = await prepareCompressedOutput(options.out ?? defaultOutput(model, options));
  const original = await phases.run("read", () => readFiniteWeights(model));
  const { bytes, report: sizes } = await phases.run(
    "compress",
    (report) =>
      createCompressor(options, report, session.signal)
        .compress(original, { config: model.config, source: model.name }),
  );
  if (output.replaces) session.writeLine(`replacing ${output.file}`);
  await phases.run("write", () => output.write(bytes, model.companions));
  const compressed = await phases.run(
    "decompress",
    async () => await decompressWeights(await openFile(output.file)),
  );
  const models = { config: model.config, original, compressed };
  const result = await phases.run(
    "evaluate",
    (report) => measureModels(models, text, options, { report, signal: session.signal }),
  );
  const outcome: CompressionOutcome = {
    model: model.name,
    sizes: { ...sizes, originalBytes: model.originalBytes },
    result,
    seconds: phases.seconds(),
    out: output.file,
  };
  session.print(
    options.json ? JSON.stringify(compressionFields(outcome)) : compressionText(outcome, text.name),
  );
}

function createCompressor(
  options: CompressOptions,
  report: Report,
  signal: AbortSignal,
): HierarchicalCompressor {
  const { preset, levels, hiddenDims, seed, losslessSmall } = options;
  const bits = targetBits(options);
  return new HierarchicalCompressor({
    preset,
    seed,
    losslessSmall: losslessSmall === true,
    ...(bits === undefined ? {} : { bits }),
    ...(levels === undefined ? {} : { numLevels: levels }),
    ...(hiddenDims === undefined ? {} : { hiddenDims }),
    onProgress: (activity, share) => report(share, activity),
    signal,
  });
}

function checkCombination({ preset, levels, hiddenDims }: CompressOptions): void {
  const given = levels !== undefined ? "--levels" : "--hidden-dims";
  if (preset === "rate" && (levels !== undefined || hiddenDims !== undefined)) {
    throw new UsageError(
      `${given} is about autoencoder levels, which the preset rate has not; ` +
        "add --preset seed or --preset hybrid",
    );
  }
  if (levels !== undefined && hiddenDims !== undefined && levels !== hiddenDims.length) {
    throw new UsageError(
      `--hidden-dims has ${hiddenDims.length} widths for --levels ${levels}; give one a level`,
    );
  }
}

function targetBits({ preset, bits }: CompressOptions): number | undefined {
  return bits ?? (preset === "seed" ? undefined : DEFAULT_BITS);
}

function defaultOutput(model: ModelSource, options: CompressOptions): string {
  const bits = targetBits(options);
  const rate = bits === undefined ? "" : `-${bits}bit`;
  return `compressed/${modelLabel(model.name)}-${options.preset}${rate}`;
}
