import { InputError, type ModelSource, type StateDict, type TextTokenizer } from "../data/mod.ts";
import type { ModelConfig } from "../eval/mod.ts";
import { type Container, openContainer, reportContainer } from "../hierarchy/mod.ts";
import { type CompressedArgument, findCompressed, readTokenizerIn } from "./compressed_argument.ts";
import { naming, UsageError } from "./errors.ts";
import { checkModel, openNamedModel, openOriginal, readFiniteWeights } from "./original_model.ts";
import type { Phases } from "./phases.ts";
import type { Sizes } from "./report.ts";
import { readRestoredWeights } from "./restored_weights.ts";

/** What `evaluate` measures: a model, a compressed model, or a compressed one and its original. */
export interface Subject {
  /** What it is called in reports. */
  readonly name: string;
  /** The configuration of both. */
  readonly config: ModelConfig;
  /** Its tokenizer. */
  readonly tokenizer: TextTokenizer;
  /** The uncompressed weights, where they can be had. */
  readonly original?: StateDict;
  /** The restored weights, where the argument names a compressed model. */
  readonly compressed?: StateDict;
  /** The sizes of a compressed model, as far as they are known. */
  readonly sizes?: Sizes;
}

/** Opens what `argument` names; without one, the embedded model. */
export async function openSubject(
  argument: string | undefined,
  originalName: string | undefined,
  phases: Phases,
  signal: AbortSignal,
): Promise<Subject> {
  const compressed = argument === undefined ? undefined : await findCompressed(argument);
  if (compressed !== undefined) {
    return await openCompressedSubject(compressed, originalName, phases, signal);
  }
  if (originalName !== undefined) {
    throw new UsageError("--original is for a compressed model; this one is not compressed");
  }
  const model = await openNamedModel(argument, phases, signal);
  checkModel(model);
  const tokenizer = await model.tokenizer();
  const original = await phases.run("read", () => readFiniteWeights(model));
  return { name: model.name, config: model.config, tokenizer, original };
}

/** A compressed model before it is decoded, and what belongs to it. */
export interface CompressedSubject extends Omit<Subject, "original" | "compressed"> {
  /** The compressed file. */
  readonly container: Container;
  /** The model that it was made from, where it can be had. */
  readonly originalModel?: ModelSource;
}

/** Opens a compressed file and finds its original, its config and its tokenizer. */
export async function openCompressedFile(
  { source, folder }: CompressedArgument,
  originalName: string | undefined,
  phases: Phases,
  signal: AbortSignal,
): Promise<CompressedSubject> {
  const container = await phases.run("read", () => openContainer(source));
  const originalModel = await openOriginal(originalName, container.source, phases, signal);
  const config = container.config ?? originalModel?.config;
  const tokenizer = await readTokenizerIn(folder, config ?? {}) ??
    await originalModel?.tokenizer();
  if (config === undefined || tokenizer === undefined) {
    const what = config === undefined ? "config.json" : "tokenizer.json";
    throw new InputError(`${source.name}: no ${what} is known; name its model with --original`);
  }
  const { originalBytes, ...sizes } = reportContainer(container, source.byteLength);
  return {
    name: source.name,
    config,
    tokenizer,
    container,
    sizes: { ...sizes, originalBytes: originalModel?.originalBytes ?? originalBytes },
    ...(originalModel === undefined ? {} : { originalModel }),
  };
}

async function openCompressedSubject(
  argument: CompressedArgument,
  originalName: string | undefined,
  phases: Phases,
  signal: AbortSignal,
): Promise<Subject> {
  const { container, originalModel, ...subject } = await openCompressedFile(
    argument,
    originalName,
    phases,
    signal,
  );
  const compressed = await phases.run(
    "decompress",
    () => naming(subject.name, () => readRestoredWeights(container, subject.config)),
  );
  const original = originalModel && await readOriginal(originalModel, compressed, phases);
  return { ...subject, compressed, ...(original === undefined ? {} : { original }) };
}

async function readOriginal(
  model: ModelSource,
  compressed: StateDict,
  phases: Phases,
): Promise<StateDict> {
  checkModel(model);
  const original = await phases.run("read", () => readFiniteWeights(model));
  for (const [name, { shape }] of original) {
    const other = compressed.get(name)?.shape;
    if (other?.join() === shape.join()) continue;
    throw new InputError(
      `${model.name}: its tensor ${name} is ${
        other === undefined ? "not" : "of another shape"
      } in ` +
        "the compressed model; name the model that it was made from with --original",
    );
  }
  return original;
}
