import { join } from "node:path";
import {
  readEmbeddedText,
  type StateDict,
  type TextTokenizer,
  weightsDigest,
} from "../../../data/mod.ts";
import { makeFolder } from "../../../data/hub_cache.ts";
import { writeFileAtomically } from "../../../data/write_file.ts";
import { describeModel } from "../../../eval/architectures/registry.ts";
import type { TransformerDescription } from "../../../eval/architectures/description.ts";
import { modelLinears } from "../../../eval/weights/expected_tensors.ts";
import { readText } from "../../../cli/evaluate/measure.ts";
import { isLocalPath, modelLabel } from "../../../cli/input/model_names.ts";
import {
  checkModel,
  openNamedModel,
  readFiniteWeights,
} from "../../../cli/input/original_model.ts";
import {
  type CalibratedModel,
  planCalibration,
  plannedTokens,
} from "../../../cli/compress/calibration.ts";
import { naming } from "../../../cli/terminal/errors.ts";
import type { Run } from "../../../cli/terminal/run.ts";
import { type NamedFile, partOfText } from "./named_file.ts";
import type { RealModelsOptions } from "./options.ts";
import { openResults, type ResultsFile, type Setup } from "./results_file.ts";

/** A model that is measured, and where its files go. */
export interface OpenedModel extends CalibratedModel {
  /** Its tokenizer. */
  readonly tokenizer: TextTokenizer;
  /** How its layers are made. */
  readonly description: TransformerDescription;
  /** Names of the weights of its layers' linear maps. */
  readonly linears: ReadonlySet<string>;
  /** Number of its parameters. */
  readonly parameters: number;
  /** Folder of all that is made of it. */
  readonly folder: string;
  /** Options of calibration. */
  readonly calibration: Parameters<typeof planCalibration>[1];
  /** What is known so far. */
  readonly results: ResultsFile;
}

/** What a text is called and where the part of it that is used is kept. */
export interface KeptText {
  /** For tables. */
  readonly name: string;
  /** The file with that part. */
  readonly path: string;
}

/** Opens a model and its results; `name` is a path or a name on the hub. */
export async function openBenchModel(
  name: string,
  options: RealModelsOptions,
  run: Run,
): Promise<OpenedModel> {
  const source = await openNamedModel(name, run);
  checkModel(source);
  const folder = join(options.out, modelLabel(name, source));
  await makeFolder(folder);
  const given = options.calibration && await keepText(options.calibration, folder);
  const weights = await run.phase("read", () => readFiniteWeights(source));
  const sha256 = await weightsDigest(weights);
  const calibrated = { source, weights, sha256, embedded: false, local: isLocalPath(name) };
  const { threads, backend, calibrationTokens } = options;
  const calibration = {
    ...{ threads, backend, calibrationTokens, seed: 0, cache: true },
    ...(given && { calibration: [given.path] }),
  };
  const plan = await planCalibration(calibrated, calibration);
  const description = describeModel(source.config, weights.keys());
  const linears = layerLinears(description);
  const setup: Setup = {
    model: name,
    sha256,
    parameters: count(weights, () => true),
    linearParameters: count(weights, (weight) => linears.has(weight)),
    calibration: {
      text: given?.name ?? "texts of several kinds and of the model itself",
      tokens: plannedTokens(plan),
      key: plan.key,
    },
    backend,
  };
  return {
    ...calibrated,
    tokenizer: await source.tokenizer(),
    description,
    linears,
    parameters: setup.parameters,
    folder,
    calibration,
    results: await openResults(join(folder, "results.jsonl"), setup, machineName()),
  };
}

/** The texts to measure on, each in a file of its own. */
export async function keepTexts(
  { text }: RealModelsOptions,
  folder: string,
): Promise<KeptText[]> {
  if (text.length === 0) {
    return [await keepText(embedded("the embedded text"), folder, readEmbeddedText)];
  }
  const kept: KeptText[] = [];
  for (const one of text) kept.push(await keepText(one, folder));
  return kept;
}

function embedded(name: string): NamedFile {
  return { name, path: "", from: 0, to: 1 };
}

async function keepText(
  text: NamedFile,
  folder: string,
  readDefault?: () => Promise<string>,
): Promise<KeptText> {
  const { name, path } = text;
  const whole = path === "" && readDefault !== undefined
    ? await readDefault()
    : await naming(name, () => readText(path, "--text"));
  const texts = join(folder, "texts");
  await makeFolder(texts);
  const part = text.from === 0 && text.to === 1
    ? ""
    : ` ${Math.round(100 * text.from)}-${Math.round(100 * text.to)}`;
  const file = join(texts, `${name.replace(/[^\w.-]+/g, "_")}${part.replace(" ", "-")}.txt`);
  await writeFileAtomically(file, [new TextEncoder().encode(partOfText(whole, text))]);
  return { name, path: file };
}

/** The layers' linear maps: what papers on quantization count. The head is none of them. */
function layerLinears(model: TransformerDescription): Set<string> {
  const outside = [model.head.weight, model.tokenEmbedding];
  const names = modelLinears(model).map(({ weight }) => weight);
  return new Set(names.filter((name) => !outside.includes(name)));
}

function count(weights: StateDict, isCounted: (name: string) => boolean): number {
  let sum = 0;
  for (const [name, { data }] of weights) if (isCounted(name)) sum += data.length;
  return sum;
}

/** The processor and its cores, as far as the system tells. */
function machineName(): string {
  const { os, arch } = Deno.build;
  let processor = `${os} ${arch}`;
  try {
    const text = Deno.readTextFileSync("/proc/cpuinfo");
    processor = /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? processor;
  } catch {
    // Not Linux.
  }
  return `${processor}, ${navigator.hardwareConcurrency} cores`;
}
