import { copyTriangle, expandTriangle, triangleSize } from "../../hierarchy/matrix/triangle.ts";
import type { OutputMoment } from "../../hierarchy/metric/tensor_metric.ts";
import type { Calibration, LinearCalibration } from "./calibration.ts";

/** A second moment E[x xᵀ]. */
export interface PackedMoment {
  /** Number of elements of x. */
  readonly size: number;
  /** Its lower triangle, row by row, rounded to float32: `triangleSize(size)` values. */
  readonly triangle: Float32Array;
}

/** A {@linkcode Calibration} in the form in which it is kept: each second moment once. */
export interface PackedCalibration extends Omit<Calibration, "linears" | "embeddingMoment"> {
  /** All second moments; others refer to them by their number. */
  readonly moments: readonly PackedMoment[];
  /** The linear layers. */
  readonly linears: readonly PackedLinear[];
  /** That of the embedded tokens' gradients, where a backward pass was run. */
  readonly embeddingMoment?: number;
}

/** What is kept of one linear layer. */
export interface PackedLinear extends Pick<LinearCalibration, "inputAxis" | "fisher"> {
  /** Name of its weight. */
  readonly weight: string;
  /** Number of the moment of its inputs. */
  readonly moment: number;
  /** Those of blocks of its outputs' gradients. */
  readonly outputMoments?: readonly { readonly start: number; readonly moment: number }[];
}

/**
 * Packs a calibration. Second moments are rounded to float32, which is far finer than their error
 * over any text; what is compressed from is always the packed form, kept on disk or not, so that
 * both give the same bytes.
 */
export function packCalibration(
  { linears, embeddingMoment, ...rest }: Calibration,
): PackedCalibration {
  const moments: PackedMoment[] = [];
  const pack = (moment: Float64Array) => moments.push(packMoment(moment)) - 1;
  const shared = new Map<string, number>();
  const packed: PackedLinear[] = [];
  for (const [weight, linear] of linears) {
    const { inputAxis, sharedWith, fisher, outputMoments } = linear;
    const moment = shared.get(weight) ?? pack(linear.hessian);
    for (const name of sharedWith) shared.set(name, moment);
    packed.push({
      weight,
      moment,
      inputAxis,
      ...(fisher !== undefined && { fisher }),
      ...(outputMoments !== undefined && {
        outputMoments: outputMoments.map((block) => ({
          start: block.start,
          moment: pack(block.moment),
        })),
      }),
    });
  }
  const embedding = embeddingMoment === undefined ? undefined : pack(embeddingMoment);
  return {
    ...rest,
    moments,
    linears: packed,
    ...(embedding !== undefined && { embeddingMoment: embedding }),
  };
}

function packMoment(hessian: Float64Array): PackedMoment {
  const size = Math.sqrt(hessian.length);
  const triangle = new Float32Array(triangleSize(size));
  copyTriangle(hessian, size, triangle);
  return { size, triangle };
}

/** The calibration that was packed; second moments are expanded when they are asked for. */
export function unpackCalibration(
  { moments, linears, embeddingMoment, ...rest }: PackedCalibration,
): Calibration {
  const unpacked = new Map<string, LinearCalibration>();
  const sharing = Map.groupBy(linears, ({ moment }) => moment);
  for (const { weight, moment, inputAxis, fisher, outputMoments } of linears) {
    const sharedWith = sharing.get(moment)!.map((other) => other.weight)
      .filter((name) => name !== weight);
    const linear = {
      inputAxis,
      sharedWith,
      tokens: rest.tokens,
      ...(fisher !== undefined && { fisher }),
    };
    const blocks = outputMoments?.map((block) => unpackBlock(block.start, moments[block.moment]!));
    unpacked.set(weight, unpackLinear(linear, moments[moment]!, blocks));
  }
  return {
    ...rest,
    linears: unpacked,
    ...(embeddingMoment !== undefined && {
      embeddingMoment: expandMoment(moments[embeddingMoment]!),
    }),
  };
}

// Functions of their own, so that a linear layer holds its own moments alone and releases them.

function unpackLinear(
  linear: Omit<LinearCalibration, "hessian" | "outputMoments">,
  packed: PackedMoment,
  outputMoments: readonly OutputMoment[] | undefined,
): LinearCalibration {
  return {
    ...linear,
    get hessian() {
      return expandMoment(packed);
    },
    ...(outputMoments !== undefined && { outputMoments }),
  };
}

function unpackBlock(start: number, packed: PackedMoment): OutputMoment {
  return {
    start,
    get moment() {
      return expandMoment(packed);
    },
  };
}

function expandMoment({ size, triangle }: PackedMoment): Float64Array {
  return expandTriangle(triangle, size);
}
