import type { Basis } from "../bases/basis.ts";
import { createBsplines } from "../bases/bspline.ts";
import { gridFromKnots } from "../bases/grid.ts";
import { numbersOf, type StoredTensor } from "../model/safetensors.ts";

/** The tensors of a checkpoint. */
export interface FileTensors {
  /** All names. */
  readonly names: readonly string[];
  /** The shape of a tensor. @throws RangeError if there is none of this name and rank. */
  shapeOf(name: string, rank: number): readonly number[];
  /** A new array of its numbers. @throws RangeError if it is absent or has another shape. */
  find(name: string, shape: readonly number[]): Float64Array;
}

/** Tensors that are found by name and shape. */
export function tensorsOf(tensors: ReadonlyMap<string, StoredTensor>): FileTensors {
  const shapeOf = (name: string, rank: number) => {
    const shape = tensors.get(name)?.shape;
    if (shape?.length !== rank) {
      throw new RangeError(`the file lacks the tensor "${name}" of ${rank} dimensions`);
    }
    return shape;
  };
  return {
    names: [...tensors.keys()],
    shapeOf,
    find(name, shape) {
      const tensor = tensors.get(name);
      if (tensor === undefined || `${tensor.shape}` !== `${shape}`) {
        throw new RangeError(
          `the file should have the tensor "${name}" of shape [${shape}]` +
            (tensor === undefined ? "" : `, it is [${tensor.shape}]`),
        );
      }
      return numbersOf(tensor);
    },
  };
}

/**
 * The bases of a layer from its grids [inputs, intervals + 2 order + 1] and coefficients, whose last
 * dimension is intervals + order.
 */
export function basesFrom(
  files: FileTensors,
  gridName: string,
  coefficientName: string,
  inputDim: number,
): { bases: readonly Basis[]; size: number } {
  const knots = files.shapeOf(gridName, 2)[1]!, size = files.shapeOf(coefficientName, 3)[2]!;
  const order = knots - size - 1;
  if (order < 0 || size <= order) {
    throw new RangeError(`"${gridName}" has ${knots} knots for ${size} coefficients`);
  }
  const grids = files.find(gridName, [inputDim, knots]);
  const bases = Array.from({ length: inputDim }, (_, i) => {
    return createBsplines(gridFromKnots(grids.slice(i * knots, (i + 1) * knots), order), "zero");
  });
  const [first] = bases;
  const areEqual = bases.every((_, i) =>
    grids.subarray(i * knots, (i + 1) * knots).every((knot, j) => knot === grids[j])
  );
  return { bases: areEqual ? [first!] : bases, size };
}
