import assert from "node:assert";
import { decodeGroups, inseparableLevel } from "./decode_groups.ts";
import type { EncodedLevel } from "../levels/level.ts";

const level = (kind: string): EncodedLevel => ({ kind, parameters: {}, streams: new Map() });
const shape = (rows: number, columns: number) => ({ name: `${rows}`, rows, columns });

Deno.test("matrices are decoded in groups of bounded size, large ones alone", () => {
  const shapes = [
    shape(3000, 3000),
    shape(1000, 1000),
    shape(1500, 2000),
    shape(500, 700),
    shape(9, 9),
  ];
  const groups = decodeGroups([[level("field"), level("trellis")]], shapes);
  assert.deepEqual(groups.map(({ matrices }) => matrices), [[0], [1, 2], [3, 4]]);
  assert.deepEqual(decodeGroups([[level("field"), level("trellis")]], []), []);
});

Deno.test("matrices of a level that codes them together make one group", () => {
  const stages = [[level("autoencoder"), level("trellis")]];
  assert.equal(inseparableLevel(stages), stages[0]![0]);
  const shapes = [shape(3000, 3000), shape(3000, 3000)];
  assert.deepEqual(decodeGroups(stages, shapes), [{ matrices: [0, 1] }]);
});
