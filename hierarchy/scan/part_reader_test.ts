import assert from "node:assert";
import fc from "fast-check";
import type { DiagonalRange } from "./pieces.ts";
import { diagonalCount, diagonalOf, type Size } from "./diagonals.ts";
import { createPartReader, hasDiagonals } from "./part_reader.ts";

/** Row-major places, from 1 on, of the values of a range of anti-diagonals. */
function diagonalValues(size: Size, { first, end }: DiagonalRange): Float32Array {
  const values: number[] = [];
  for (let number = first; number < end; number++) {
    const { row, column, length } = diagonalOf(size, number);
    for (let t = 0; t < length; t++) values.push(1 + (row + t) * size.columns + column - t);
  }
  return Float32Array.from(values);
}

Deno.test("a part filled by runs of the whole holds its rows and columns", () => {
  const size = fc.integer({ min: 1, max: 30 });
  const some = fc.option(fc.uniqueArray(fc.nat(29), { maxLength: 9 }), { nil: undefined });
  const run = fc.integer({ min: 1, max: 99 });
  fc.assert(fc.property(size, size, some, some, run, fc.nat(), (...given) => {
    const [rows, columns, someRows, someColumns, run, cut] = given;
    const numbers = (some: number[] | undefined, count: number) =>
      some && Int32Array.from(some.filter((number) => number < count)).sort();
    const wantedRows = numbers(someRows, rows), wantedColumns = numbers(someColumns, columns);
    const { matrix, put } = createPartReader({ name: "w", rows, columns }, {
      ...(wantedRows && { rows: wantedRows }),
      ...(wantedColumns && { columns: wantedColumns }),
    });
    const count = diagonalCount({ rows, columns }), middle = cut % count;
    for (const range of [{ first: middle, end: count }, { first: 0, end: middle }]) {
      const values = diagonalValues({ rows, columns }, range);
      for (let at = 0; at < values.length; at += run) {
        put(range, at, values.subarray(at, at + run));
      }
    }
    const all = (count: number) => Array.from({ length: count }, (_, i) => i);
    const expected = [...wantedRows ?? all(rows)].flatMap((row) =>
      [...wantedColumns ?? all(columns)].map((column) => 1 + row * columns + column)
    );
    assert.deepEqual([...matrix.data], expected);
    assert.equal(matrix.rows * matrix.columns, expected.length);
  }));
});

Deno.test("hasDiagonals() says whether a range of anti-diagonals has any value of a part", () => {
  const size = fc.integer({ min: 1, max: 6 });
  const some = fc.option(fc.uniqueArray(fc.nat(5), { maxLength: 4 }), { nil: undefined });
  fc.assert(fc.property(size, size, some, some, fc.nat(10), fc.nat(10), (...given) => {
    const [rows, columns, someRows, someColumns, a, b] = given;
    const first = Math.min(a, b), end = Math.min(Math.max(a, b), rows + columns - 1);
    const numbers = (some: number[] | undefined, count: number) =>
      some && Int32Array.from(some.filter((number) => number < count)).sort();
    const part = {
      rows: numbers(someRows, rows) ?? Int32Array.from({ length: rows }, (_, i) => i),
      columns: numbers(someColumns, columns) ?? Int32Array.from({ length: columns }, (_, i) => i),
    };
    const expected = part.rows.some((row) =>
      part.columns.some((column) => row + column >= first && row + column < end)
    );
    const found = hasDiagonals(
      {
        ...(someRows && { rows: part.rows }),
        ...(someColumns && { columns: part.columns }),
      },
      { rows, columns },
      { first, end },
    );
    // Nothing left out stands for all, of which a range that is not empty always has some.
    assert.equal(found, expected || (!someRows && !someColumns));
  }));
});
