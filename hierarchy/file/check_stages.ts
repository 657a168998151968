import { InputError } from "../../data/input_error.ts";
import { codecOf, levelBytes } from "../levels/level_codecs.ts";
import type { Stage } from "../levels/level.ts";
import type { MatrixShape } from "../matrix/matrix.ts";
import { damaged, described } from "../levels/stored_level.ts";
import { codedShapes } from "./plan_tensors.ts";
import type { StoredTensor } from "./tensor_names.ts";

/** The output of a level may have this many values for each weight of the model… */
const LARGEST_EXPANSION = 4;
/** …or so many, where the model is small. */
const SMALL_OUTPUT = 2 ** 16;

/**
 * Weights for each byte of a stage with autoencoders, whose streams alone would not bound them, and
 * weights that need no bytes.
 */
const MOST_WEIGHTS_PER_BYTE = 2 ** 14, SMALL_MODEL = 2 ** 22;

/**
 * Throws {@linkcode InputError} unless the levels of every stage can code these tensors:
 * the output of each is what the next one codes, until the last, and their streams are long enough for the
 * values that they stand for. Whatever decoding allocates is bounded afterwards.
 */
export function checkStages(tensors: readonly StoredTensor[], stages: readonly Stage[]): void {
  const shapes = codedShapes(tensors);
  if (stages.length === 0 && shapes.length > 0) {
    throw new InputError(
      `no level codes ${described(shapes[0]!)}; the file is damaged, compress the model again`,
    );
  }
  stages.forEach((stage) => checkStage(stage, shapes));
}

function checkStage(stage: Stage, first: readonly MatrixShape[]): void {
  const weights = countValues(first);
  const bytes = stage.reduce((sum, level) => sum + levelBytes(level), 0);
  let shapes = first;
  stage.forEach((level, at) => {
    const codec = codecOf(level);
    const isLast = at === stage.length - 1;
    if (codec.isLast && !isLast) {
      throw damaged(level, "another level follows, but it is a last one");
    }
    if (!codec.decodesApart && weights > Math.max(SMALL_MODEL, MOST_WEIGHTS_PER_BYTE * bytes)) {
      throw damaged(
        level,
        `its stage of ${bytes} bytes is too short for ${weights} values, from ${nameOf(first)} on`,
      );
    }
    codec.check(level, shapes);
    const output = codec.outputShapes(level, shapes);
    if (isLast && output.length > 0) {
      throw damaged(level, `no level follows that codes what it leaves of ${nameOf(first)}`);
    }
    if (countValues(output) > Math.max(SMALL_OUTPUT, LARGEST_EXPANSION * weights)) {
      throw damaged(
        level,
        `has an output of ${countValues(output)} values for ${weights}, from ${nameOf(first)} on`,
      );
    }
    shapes = output;
  });
}

/** The first matrix of a list, for a message. */
function nameOf([first]: readonly MatrixShape[]): string {
  return first === undefined ? "no tensor" : described(first);
}

function countValues(shapes: readonly MatrixShape[]): number {
  return shapes.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
}
