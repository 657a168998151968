import assert from "node:assert";
import fc from "fast-check";
import { diagonalCount, diagonalOf, valuesBefore } from "./diagonals.ts";

Deno.test("the anti-diagonals visit every value once, those above and to the left first", () => {
  fc.assert(fc.property(fc.nat(12), fc.nat(12), (rows, columns) => {
    const order = new Map<string, number>();
    for (let number = 0; number < diagonalCount({ rows, columns }); number++) {
      const { row, column, length, position } = diagonalOf({ rows, columns }, number);
      assert.ok(length > 0);
      assert.equal(position, order.size);
      for (let t = 0; t < length; t++) order.set(`${row + t} ${column - t}`, number);
    }
    assert.equal(order.size, rows * columns);
    assert.equal(valuesBefore({ rows, columns }, diagonalCount({ rows, columns })), rows * columns);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        assert.equal(order.get(`${row} ${column}`), row + column);
      }
    }
  }));
});
