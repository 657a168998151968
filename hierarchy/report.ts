import { bytesPerElement } from "../data/dtype.ts";
import { releaseMemory } from "../data/release_memory.ts";
import { type DType, elementCount } from "../data/tensor.ts";
import type { Container } from "./file/container.ts";
import type { EncodedLevel, Stage } from "./levels/level.ts";
import { decodeBlocks, inseparableLevel } from "./file/decode_groups.ts";
import { codecOf, decodeStage, levelBytes, levelShapes } from "./levels/level_codecs.ts";
import type { Matrices, MatrixShape } from "./matrix/matrix.ts";
import { copyBlock } from "./matrix/matrix_blocks.ts";
import { addErrors, type ErrorSums } from "./metric/is_lost.ts";
import { codedShapes } from "./file/plan_tensors.ts";
import { naming } from "../data/naming.ts";
import { finish, finishWithBreaks, type Steps } from "../workers/steps.ts";

/** What one level of the hierarchy costs and what it leaves to the levels after it. */
export interface LevelReport {
  /** Number of the stage, from 0: the stages' decoded matrices add up to the weights. */
  readonly stage: number;
  /** Kind of level. */
  readonly kind: string;
  /** Bytes of its streams. */
  readonly bytes: number;
  /** Those bytes in bits per parameter of the model. */
  readonly bitsPerWeight: number;
  /** Share of the energy that the level could not represent, where it says. */
  readonly energyLeft?: number;
}

/** What one stage costs and what it takes off the work of those after it. */
export interface StageReport {
  /** Bytes of all its levels. */
  readonly bytes: number;
  /** Those bytes in bits per parameter of the model. */
  readonly bitsPerWeight: number;
  /**
   * By how much it lowers the rate that the rest needs for the same error, in bits per parameter:
   * half the log2 of the energy before over the energy after, for each matrix. An ideal code costs
   * what it saves. Absent for the last stage of a file whose original is not at hand.
   */
  readonly bitsSaved?: number;
}

/** What one tensor costs. */
export interface TensorReport {
  /** Name in the checkpoint. */
  readonly name: string;
  /** Sizes of its axes. */
  readonly shape: readonly number[];
  /** Element type in the original. */
  readonly dtype: DType;
  /** Kinds of the levels that code it, or the element type that it is kept in. */
  readonly levels: readonly string[];
  /** Bytes, shared streams split by code length. */
  readonly bytes: number;
  /** Bits per value. */
  readonly bitsPerWeight: number;
  /** Share of the file, 0 to 1. */
  readonly share: number;
}

/** Where every byte of a compressed model goes. */
export interface CompressionReport {
  /** Parameters of the model, tied ones once. */
  readonly parameters: number;
  /** Bytes of the tensors in the original, tied ones once. */
  readonly originalBytes: number;
  /** Element type of most values in the original. */
  readonly originalDtype: DType;
  /** Bytes of the whole file. */
  readonly compressedBytes: number;
  /** Bits of the whole file per parameter. */
  readonly bitsPerWeight: number;
  /** Bytes of header and tensors kept exactly. */
  readonly overhead: { readonly header: number; readonly exact: number };
  /** Every stage: their decoded matrices add up to the weights. */
  readonly stages: readonly StageReport[];
  /** Every level, outermost first, stage after stage. */
  readonly levels: readonly LevelReport[];
  /** Every stored tensor, in the order of the file. */
  readonly tensors: readonly TensorReport[];
}

/** What {@linkcode reportContainer} may be given. */
export interface ReportOptions {
  /** The matrices that the first stage coded, where it is at hand. */
  readonly original?: Matrices | undefined;
  /** Called with the number of each matrix of `original`, and sums and all of what is missed of it. */
  readonly onErrors?:
    | ((matrix: number, sums: ErrorSums, error: () => Float32Array) => void)
    | undefined;
  /** Stops the work; the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Accounts for every byte of a container whose file has `fileBytes` bytes. Decodes what it needs for
 * that; throws {@linkcode InputError} that names the file where it does not decode.
 */
export async function reportContainer(
  container: Container,
  fileBytes: number,
  { signal, ...options }: ReportOptions = {},
): Promise<CompressionReport> {
  const work = () => finishWithBreaks(report(container, fileBytes, options), signal);
  return await (container.file === undefined ? work() : naming(container.file, work));
}

function* report(
  container: Container,
  fileBytes: number,
  options: ReportOptions,
): Steps<CompressionReport> {
  const { tensors, stages, verbatim } = container;
  const parameters = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const originalBytes = tensors.reduce(
    (sum, { dtype, shape }) => sum + elementCount(shape) * bytesPerElement(dtype),
    0,
  );
  const counts = new Map<DType, number>();
  for (const { dtype, shape } of tensors) {
    counts.set(dtype, (counts.get(dtype) ?? 0) + elementCount(shape));
  }
  const [originalDtype] = [...counts].reduce<[DType, number]>(
    (most, one) => one[1] > most[1] ? one : most,
    ["F32", 0],
  );
  const levels = stages.flatMap((stage, i) =>
    stage.map((level) => reportLevel(level, i, parameters))
  );
  const streamBytes = levels.reduce((sum, { bytes }) => sum + bytes, 0) + verbatim.length;
  return {
    parameters,
    originalBytes,
    originalDtype,
    compressedBytes: fileBytes,
    bitsPerWeight: 8 * fileBytes / parameters,
    overhead: { header: fileBytes - streamBytes, exact: verbatim.length },
    stages: yield* reportStages(container, parameters, options),
    levels,
    tensors: yield* reportTensors(container, fileBytes),
  };
}

function* reportStages(
  { tensors, stages }: Container,
  parameters: number,
  options: ReportOptions,
): Steps<StageReport[]> {
  const { original } = options;
  // One stage of which the original is not known saves an unknown amount: nothing to decode.
  const needed = stages.length > 1 || original !== undefined;
  const saved = needed ? yield* savedBits(stages, codedShapes(tensors), options) : [];
  return stages.map((stage, i) => {
    const bytes = stage.reduce((sum, level) => sum + levelBytes(level), 0);
    const report = { bytes, bitsPerWeight: 8 * bytes / parameters };
    const isRest = i === stages.length - 1 && original === undefined;
    return isRest ? report : { ...report, bitsSaved: saved[i]! / parameters };
  });
}

/**
 * For each stage, the sum over matrices of half the log2 of the energy's fall, for each of their
 * values. Decodes a few matrices at a time, or a part of a large one.
 */
function* savedBits(
  stages: readonly Stage[],
  shapes: readonly MatrixShape[],
  { original, onErrors }: ReportOptions,
): Steps<number[]> {
  const saved = stages.map(() => 0);
  const isTransposed = (matrix: number) => original?.[matrix]?.held?.transposed === true;
  /** Energies before the first stage and after each, of the matrix that is looked at in parts. */
  let energies = new Float64Array(stages.length + 1);
  let errors: ErrorSums = { energy: 0, missed: 0, decoded: 0 };
  const finishMatrix = (matrix: number) => {
    const { rows, columns } = shapes[matrix]!;
    for (let i = 0; i < stages.length; i++) {
      const before = energies[i]!, after = energies[i + 1]!;
      if (after > 0 && before > 0) saved[i]! += rows * columns * 0.5 * Math.log2(before / after);
    }
    if (original !== undefined) {
      onErrors?.(matrix, errors, () => wholeError(stages, shapes, original, matrix));
    }
    energies = new Float64Array(stages.length + 1);
    errors = { energy: 0, missed: 0, decoded: 0 };
  };
  const blocks = decodeBlocks(stages, shapes, isTransposed);
  for (const [number, { matrices, wanted, place }] of blocks.entries()) {
    const decoded: Matrices[] = [];
    for (const stage of stages) decoded.push(yield* decodeStage(stage, shapes, wanted));
    for (const matrix of matrices) {
      yield;
      const parts = decoded.map((matrices) => matrices[matrix]!.data);
      const values = original === undefined
        ? sumOf(parts)
        : copyBlock(original[matrix]!, place ?? { row: 0, column: 0, ...shapes[matrix]! });
      const rest = original === undefined ? values : values.slice();
      energies[0]! += energy(rest);
      parts.forEach((part, i) => {
        for (let at = 0; at < rest.length; at++) rest[at] = rest[at]! - part[at]!;
        energies[i + 1]! += energy(rest);
        releaseMemory(part);
      });
      if (original !== undefined) {
        addErrors(errors, values, rest);
        releaseMemory(values);
      }
      releaseMemory(rest);
      const isLast = place === undefined || blocks[number + 1]?.matrices[0] !== matrix;
      if (isLast) finishMatrix(matrix);
    }
  }
  return saved;
}

/** What a matrix misses of the original, all of it at once. */
function wholeError(
  stages: readonly Stage[],
  shapes: readonly MatrixShape[],
  original: Matrices,
  matrix: number,
): Float32Array {
  const wanted = inseparableLevel(stages) === undefined ? new Map([[matrix, {}]]) : undefined;
  const rest = original[matrix]!.data.slice();
  for (const stage of stages) {
    const { data } = finish(decodeStage(stage, shapes, wanted))[matrix]!;
    for (let at = 0; at < rest.length; at++) rest[at] = rest[at]! - data[at]!;
  }
  return rest;
}

function sumOf(parts: readonly Float32Array[]): Float32Array {
  const sum = parts[0]!.slice();
  for (const part of parts.slice(1)) {
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + part[i]!;
  }
  return sum;
}

function energy(data: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! * data[i]!;
  return sum;
}

function reportLevel(level: EncodedLevel, stage: number, parameters: number): LevelReport {
  const bytes = levelBytes(level);
  const { energyLeft } = level.parameters;
  return {
    stage,
    kind: level.kind,
    bytes,
    bitsPerWeight: 8 * bytes / parameters,
    ...(typeof energyLeft === "number" ? { energyLeft } : {}),
  };
}

function* reportTensors(
  { tensors, stages }: Container,
  fileBytes: number,
): Steps<TensorReport[]> {
  const shapes = codedShapes(tensors);
  const bits = new Map(shapes.map(({ name }) => [name, 0]));
  for (const stage of stages) {
    const own = yield* stageBits(stage, shapes);
    own.forEach((value, i) => {
      const { name } = shapes[i]!;
      bits.set(name, bits.get(name)! + value);
    });
  }
  const kinds = stages.flat().map(({ kind }) => kind);
  return tensors.map(({ name, shape, dtype, stored }) => {
    const count = elementCount(shape);
    const bytes = stored === undefined ? bits.get(name)! / 8 : count * bytesPerElement(stored);
    return {
      name,
      shape,
      dtype,
      levels: stored === undefined ? kinds : [stored],
      bytes,
      bitsPerWeight: count === 0 ? 0 : 8 * bytes / count,
      share: bytes / fileBytes,
    };
  });
}

/**
 * Bits of a stage by matrix. A level says itself what its matrices cost; what codes a latent, in
 * which no matrix can be told from another, is shared out by the number of weights.
 */
function* stageBits(stage: Stage, first: readonly MatrixShape[]): Steps<Float64Array> {
  const weights = Float64Array.from(first, ({ rows, columns }) => rows * columns);
  const total = weights.reduce((sum, count) => sum + count, 0);
  const bits = new Float64Array(first.length);
  const shapes = levelShapes(stage, first);
  for (const [i, level] of stage.entries()) {
    const sameMatrices = shapes[i]!.length === first.length &&
      shapes[i]!.every(({ name }, at) => name === first[at]!.name);
    const codec = codecOf(level);
    const own = sameMatrices && codec.matrixBits !== undefined
      ? yield* codec.matrixBits(level, shapes[i]!)
      : undefined;
    const shared = 8 * levelBytes(level);
    for (let at = 0; at < bits.length; at++) {
      bits[at] = bits[at]! + (own?.[at] ?? shared * weights[at]! / total);
    }
  }
  return bits;
}
