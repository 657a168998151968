import assert from "node:assert";
import * as fc from "fast-check";
import type { CodedMatrix } from "../../hierarchy/matrix/coded_matrix.ts";
import { BYTE_ZERO, type ByteMatrix, byteMatrix } from "./byte_matrix.ts";

/** The values that a matrix of bytes stands for. */
function valuesOf(matrix: ByteMatrix): Float64Array {
  const { rows, columns, bytes, rowFactors, columnFactors, wideRows, wideColumns } = matrix;
  const values = Float64Array.from(bytes, (byte, at) => {
    const row = Math.floor(at / columns);
    return (byte - BYTE_ZERO) * rowFactors[row]! * columnFactors[at - row * columns]!;
  });
  wideColumns?.places.forEach((column, place) => {
    for (let i = 0; i < rows; i++) {
      values[i * columns + column]! += wideColumns.values[place * rows + i]!;
    }
  });
  wideRows?.places.forEach((row, place) => {
    for (let j = 0; j < columns; j++) {
      values[row * columns + j]! += wideRows.values[place * columns + j]!;
    }
  });
  return values;
}

function coded(
  rows: number,
  columns: number,
  integer: (row: number, column: number) => number,
  scale = 1,
): CodedMatrix {
  return {
    integers: {
      name: "w",
      rows,
      columns,
      data: Float32Array.from(
        { length: rows * columns },
        (_, at) => integer(Math.floor(at / columns), at % columns),
      ),
    },
    factors: {
      rows: Float64Array.from({ length: rows }, (_, i) => 2 ** (i / 8 - 3) / scale),
      columns: Float64Array.from({ length: columns }, (_, j) => 2 ** (-j / 8) * scale),
    },
  };
}

function assertSame(matrix: ByteMatrix, { integers, factors }: CodedMatrix): void {
  valuesOf(matrix).forEach((value, at) => {
    const row = Math.floor(at / integers.columns);
    const factor = factors.rows[row]! * factors.columns[at - row * integers.columns]!;
    const exact = integers.data[at]! * factor;
    assert.ok(Math.abs(value - exact) <= 2 ** -22 * Math.abs(exact), `${at}: ${value}, ${exact}`);
  });
}

Deno.test("a matrix of bytes stands for what was coded, wherever integers are larger", () => {
  const places = fc.array(fc.tuple(fc.nat(19), fc.nat(29), fc.integer({ min: -3e4, max: 3e4 })), {
    maxLength: 6,
  });
  fc.assert(fc.property(places, (large) => {
    const matrix = coded(
      20,
      30,
      (i, j) =>
        large.find(([row, column]) => row === i && column === j)?.[2] ??
          (i * 31 + j * 17) % 256 - 128,
    );
    assertSame(byteMatrix(matrix)!, matrix);
  }));
});

Deno.test("integers at both ends of a byte need no wide lines, those beyond do", () => {
  const at = (value: number) => byteMatrix(coded(4, 4, (i, j) => i === 1 && j === 2 ? value : 1))!;
  for (const value of [-128, 127]) {
    assert.deepEqual([at(value).wideRows, at(value).wideColumns], [undefined, undefined]);
  }
  for (const value of [-129, 128]) assert.deepEqual([...at(value).wideRows!.places], [1]);
});

Deno.test("a column is kept as floats where it is cheaper than the rows that it crosses", () => {
  const { wideRows, wideColumns } = byteMatrix(coded(40, 10, (i, j) => j === 3 ? 1000 - i : i))!;
  assert.equal(wideRows, undefined);
  assert.deepEqual([...wideColumns!.places], [3]);
});

Deno.test("factors of columns are brought near 1, and what floats hold as well is left to them", () => {
  const matrix = coded(8, 8, (i, j) => i - j, 2 ** 70);
  assertSame(byteMatrix(matrix)!, matrix);
  assert.equal(byteMatrix(coded(8, 8, () => 1000)), undefined);
  const apart = coded(2, 2, () => 1);
  apart.factors.columns.set([2 ** -70, 2 ** 70]);
  assert.equal(byteMatrix(apart), undefined);
});
