import type { ByteSource } from "../data/byte_source.ts";
import { releaseMemory } from "../data/release_memory.ts";
import { naming } from "../data/naming.ts";
import { memorySource } from "../data/memory_source.ts";
import type { StateDict, WeightTensor } from "../data/tensor.ts";
import type { Container } from "./file/container.ts";
import { decodeVerbatimTensors } from "./file/verbatim_tensors.ts";
import { decodeGroups } from "./file/decode_groups.ts";
import { decodeStages } from "./levels/level_codecs.ts";
import type { Matrix } from "./matrix/matrix.ts";
import { codedShapes } from "./file/plan_tensors.ts";
import { transpose } from "../data/transpose.ts";
import { requireFinite } from "./file/require_finite.ts";
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
 * Decodes everything, a few matrices at a time, and keeps nothing: throws what
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
  const shapes = codedShapes(tensors);
  for (const { matrices, wanted } of decodeGroups(stages, shapes)) {
    const decoded = yield* decodeStages(stages, shapes, wanted);
    for (const matrix of matrices) requireFinite(shapes[matrix]!.name, decoded[matrix]!.data);
    for (const { data } of decoded) releaseMemory(data);
  }
}

/** What {@linkcode decodeContainer} does, in steps. */
export function* decodeWeights(
  { tensors, aliases, stages, verbatim }: Container,
): Steps<StateDict> {
  const shapes = codedShapes(tensors);
  const coded = new Map<string, Matrix>();
  for (const { matrices, wanted } of decodeGroups(stages, shapes)) {
    const decoded = yield* decodeStages(stages, shapes, wanted);
    for (const matrix of matrices) coded.set(shapes[matrix]!.name, decoded[matrix]!);
  }
  const kept = decodeVerbatimTensors(tensors, verbatim);
  const weights = new Map<string, WeightTensor>();
  for (const { name, dtype, shape, transposed } of tensors) {
    yield;
    const matrix = coded.get(name);
    if (matrix === undefined) {
      weights.set(name, kept.get(name)!);
      continue;
    }
    const { data, rows, columns } = matrix;
    requireFinite(name, data);
    weights.set(name, { dtype, shape, data: transposed ? transpose(data, rows, columns) : data });
  }
  for (const [name, target] of aliases) weights.set(name, weights.get(target)!);
  return weights;
}
