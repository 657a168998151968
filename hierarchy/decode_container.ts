import type { ByteSource } from "../data/byte_source.ts";
import { releaseMemory } from "../data/release_memory.ts";
import { naming } from "../data/naming.ts";
import { memorySource } from "../data/memory_source.ts";
import type { StateDict, WeightTensor } from "../data/tensor.ts";
import type { Container } from "./file/container.ts";
import { decodeVerbatimTensors } from "./file/verbatim_tensors.ts";
import { codedTensors, decodeGroup, decodeGroups, decodeRows } from "./file/decode_groups.ts";
import { finishWithBreaks, type Steps } from "../workers/steps.ts";

/** How decoding is stopped. */
export interface DecodeOptions {
  /** Stops the work; the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** A compressed model: a file, its bytes, or what the compressor gave. */
export type CompressedSource = { readonly bytes: Uint8Array } | Uint8Array | ByteSource;

/** A compressed model as a byte source. */
export function sourceOf(compressed: CompressedSource): ByteSource {
  if (compressed instanceof Uint8Array) return memorySource(compressed, "compressed model");
  return "bytes" in compressed ? memorySource(compressed.bytes, "compressed model") : compressed;
}

/**
 * The weights that a container holds, in the order of its tensors, tied ones last. Throws
 * {@linkcode InputError} that names file and tensor where they do not decode, or not to finite values.
 */
export async function decodeContainer(
  container: Container,
  { signal }: DecodeOptions = {},
): Promise<StateDict> {
  const work = () => finishWithBreaks(decodeWeights(container), signal);
  return await (container.file === undefined ? work() : naming(container.file, work));
}

/**
 * Decodes everything, a few matrices or a part of one at a time, and keeps nothing: throws what
 * {@linkcode decodeContainer} would, in less memory.
 */
export async function checkDecodes(
  container: Container,
  { signal }: DecodeOptions = {},
): Promise<void> {
  const work = () => finishWithBreaks(decodeAll(container), signal);
  await (container.file === undefined ? work() : naming(container.file, work));
}

function* decodeAll({ tensors, stages, verbatim }: Container): Steps<void> {
  decodeVerbatimTensors(tensors, verbatim);
  const coded = codedTensors(tensors);
  for (const group of decodeRows(stages, coded)) {
    for (const [, { data }] of yield* decodeGroup(stages, coded, group)) releaseMemory(data);
  }
}

/** What {@linkcode decodeContainer} does, in steps. */
export function* decodeWeights(
  { tensors, aliases, stages, verbatim }: Container,
): Steps<StateDict> {
  const coded = codedTensors(tensors);
  const decoded = new Map<string, WeightTensor>();
  for (const group of decodeGroups(stages, coded.shapes)) {
    for (const [name, tensor] of yield* decodeGroup(stages, coded, group)) {
      decoded.set(name, tensor);
    }
  }
  const kept = decodeVerbatimTensors(tensors, verbatim);
  const weights = new Map<string, WeightTensor>();
  for (const { name } of tensors) weights.set(name, decoded.get(name) ?? kept.get(name)!);
  for (const [name, target] of aliases) weights.set(name, weights.get(target)!);
  return weights;
}
