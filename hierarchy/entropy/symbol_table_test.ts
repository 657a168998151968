import assert from "node:assert";
import fc from "fast-check";
import { RansDecoder, RansEncoder } from "./rans.ts";
import { createSymbolTable, putSymbol, slotTable, symbolBits, takeSymbol } from "./symbol_table.ts";

const magnitudeWeights = fc.array(fc.double({ min: 1e-12, max: 1, noNaN: true }), {
  minLength: 1,
  maxLength: 61,
}).map((weights) => Float64Array.from(weights));

Deno.test("takeSymbol() gives back every integer, escaped ones too", () => {
  fc.assert(fc.property(
    magnitudeWeights,
    fc.integer({ min: 0, max: 10 }),
    fc.array(fc.oneof(fc.integer({ min: -70, max: 70 }), fc.integer({ min: -1e9, max: 1e9 }))),
    (weights, rawBits, values) => {
      const table = createSymbolTable(weights, rawBits);
      const encoder = new RansEncoder();
      for (const value of values) putSymbol(encoder, table, value);
      const decoder = new RansDecoder(encoder.finish());
      const slots = slotTable(table);
      for (const value of values) assert.equal(takeSymbol(decoder, table, slots), value);
      assert.ok(decoder.isAtEnd());
    },
  ));
});

Deno.test("symbolBits() is what the coder spends", () => {
  const table = createSymbolTable(Float64Array.from({ length: 61 }, (_, a) => 2 ** -a), 2);
  const values = Array.from({ length: 5000 }, (_, i) => ((i * 7919) % 61) - 30);
  const encoder = new RansEncoder();
  let ideal = 0;
  for (const value of values) {
    putSymbol(encoder, table, value);
    ideal += symbolBits(table, value);
  }
  const bits = encoder.finish().length * 8;
  assert.ok(Math.abs(bits - ideal) < 130 + ideal * 0.001, `${bits} bits against ${ideal}`);
});

Deno.test("slotTable() lists every slot once", () => {
  fc.assert(fc.property(magnitudeWeights, (weights) => {
    const table = createSymbolTable(weights, 0);
    const slots = slotTable(table);
    for (let slot = 0; slot < slots.length; slot++) {
      const symbol = slots[slot]! >>> 24;
      assert.equal(table.starts[symbol]! + (slots[slot]! & 0xfff), slot);
      assert.equal(table.frequencies[symbol]! - 1, (slots[slot]! >>> 12) & 0xfff);
    }
  }));
});
