import { InputError } from "../../data/input_error.ts";
import type { WeightTensor } from "../../data/tensor.ts";
import { type Figure, layoutOf, REFERENCE_COLOR, seriesStyle } from "./figure.ts";
import { singularValues } from "./singular_values.ts";

/** A restored matrix that is compared with the original. */
export interface RestoredMatrix {
  /** What it is called in the legend. */
  readonly name: string;
  /** The matrix as it was decoded. */
  readonly tensor: WeightTensor;
}

/**
 * The singular values of a matrix and of what compression adds to it: flat where errors are white
 * noise, above the matrix' own values where they drown directions that it uses. Throws
 * {@linkcode InputError} where the tensors are not matrices of one shape.
 *
 * ```ts
 * import { errorSpectrumFigure } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const matrix = (...values: number[]) =>
 *   ({ dtype: "F32", shape: [2, 2], data: Float32Array.from(values) }) as const;
 * const restored = [{ name: "4 bits", tensor: matrix(1, 0.1, 0, 2) }];
 * const figure = errorSpectrumFigure(matrix(1, 0, 0, 2), restored);
 * assert.deepEqual(figure.data.map(({ name }) => name), ["weights", "error, 4 bits"]);
 * ```
 */
export function errorSpectrumFigure(
  original: WeightTensor,
  restored: readonly RestoredMatrix[],
  title: string = "Singular values of weights and errors",
): Figure {
  const [rows, columns] = original.shape;
  if (rows === undefined || columns === undefined || original.shape.length !== 2) {
    throw new InputError(
      `shape ${original.shape.join(" × ")} is not a matrix; choose another tensor`,
    );
  }
  const spectrum = (data: Float32Array) => Array.from(singularValues(data, rows, columns));
  const traceOf = (name: string, values: number[], line: object) => ({
    type: "scatter",
    mode: "lines",
    name,
    x: values.map((_, i) => i + 1),
    // A logarithmic axis has no place for zeros.
    y: values.map((value) => value > 0 ? value : null),
    line,
  });
  const weights = traceOf("weights", spectrum(original.data), {
    color: REFERENCE_COLOR,
    width: 2.5,
    dash: "solid",
  });
  const errors = restored.map(({ name, tensor }, index) => {
    if (tensor.shape.join() !== original.shape.join()) {
      throw new InputError(`${name}: its shape ${tensor.shape} is not ${original.shape}`);
    }
    const { color, dash } = seriesStyle(index);
    const difference = tensor.data.map((value, i) => value - original.data[i]!);
    return traceOf(`error, ${name}`, spectrum(difference), { color, dash, width: 1.8 });
  });
  return {
    data: [weights, ...errors],
    layout: layoutOf(title, { title: "number of the singular value" }, {
      title: "singular value",
      logValues: [weights, ...errors].flatMap(({ y }) => y.filter((value) => value !== null)),
    }),
  };
}
