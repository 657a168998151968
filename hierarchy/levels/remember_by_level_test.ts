import assert from "node:assert";
import type { EncodedLevel } from "./level.ts";
import type { MatrixShape } from "../matrix/matrix.ts";
import { rememberByLevel } from "./remember_by_level.ts";

Deno.test("a level is read again for other shapes only", () => {
  const level = (): EncodedLevel => ({ kind: "field", parameters: {}, streams: new Map() });
  const shapesOf = (rows: number): MatrixShape[] => [{ name: "w", rows, columns: 2 }];
  const reads: number[] = [];
  const read = rememberByLevel((_, shapes) => {
    reads.push(shapes[0]!.rows);
    return { rows: shapes[0]!.rows };
  });
  const [first, second, three, four] = [level(), level(), shapesOf(3), shapesOf(4)];
  assert.equal(read(first, three), read(first, three));
  assert.notEqual(read(second, three), read(first, three));
  assert.deepEqual(read(first, four), { rows: 4 });
  assert.deepEqual(reads, [3, 3, 4]);
});
