import type { EncodedLevel } from "./level.ts";
import type { MatrixShape } from "../matrix/matrix.ts";

/**
 * `read`, but what it gave for a level and its shapes last is given again: a model that is decoded
 * tensor by tensor asks for each level's side information as often. Both are taken to be immutable.
 */
export function rememberByLevel<Value>(
  read: (encoded: EncodedLevel, shapes: readonly MatrixShape[]) => Value,
): (encoded: EncodedLevel, shapes: readonly MatrixShape[]) => Value {
  const known = new WeakMap<EncodedLevel, { shapes: readonly MatrixShape[]; value: Value }>();
  return (encoded, shapes) => {
    const last = known.get(encoded);
    if (last?.shapes === shapes) return last.value;
    const value = read(encoded, shapes);
    known.set(encoded, { shapes, value });
    return value;
  };
}
