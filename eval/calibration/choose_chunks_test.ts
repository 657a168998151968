import assert from "node:assert";
import fc from "fast-check";
import { mixTexts, spread } from "./choose_chunks.ts";

Deno.test("spread() takes whole chunks from all over the text", () => {
  const tokens = Int32Array.from({ length: 100 }, (_, i) => i);
  assert.deepEqual([...spread(tokens, 20, 10)], [
    ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    ...[50, 51, 52, 53, 54, 55, 56, 57, 58, 59],
  ]);
  assert.equal(spread(tokens, 1000, 10), tokens);
});

Deno.test("spread() keeps to its limit, but for a single chunk", () => {
  fc.assert(
    fc.property(fc.nat(500), fc.nat(500), fc.integer({ min: 1, max: 50 }), (n, limit, c) => {
      const { length } = spread(new Int32Array(n), limit, c);
      assert.ok(length <= Math.max(limit, c) || length === n);
      assert.ok(length <= n);
    }),
  );
});

/** A text of as many tokens as its number says, all of which are that number. */
const text = (number: number, length: number) => new Int32Array(length).fill(number);

Deno.test("mixTexts() takes as much of each text, and what a short one lacks from the others", () => {
  const texts = [text(1, 100), text(2, 25), text(3, 100), text(4, 9)];
  const mixed = mixTexts(texts, 105, 10);
  assert.deepEqual(
    [1, 2, 3, 4].map((number) => mixed.filter((token) => token === number).length),
    [40, 20, 40, 0],
  );
});

Deno.test("every beginning of what mixTexts() gives is as even a mixture", () => {
  const chunk = 4;
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 4, max: 200 }), { minLength: 2, maxLength: 9 }),
      fc.integer({ min: 4, max: 900 }),
      (lengths, limit) => {
        const mixed = mixTexts(lengths.map((n, i) => text(i, n)), limit, chunk);
        const kinds = Array.from({ length: mixed.length / chunk }, (_, i) => mixed[i * chunk]!);
        assert.ok(mixed.length <= limit);
        const all = lengths.reduce((sum, n) => sum + Math.floor(n / chunk), 0);
        assert.equal(kinds.length, Math.min(all, Math.floor(limit / chunk)));
        for (const kind of new Set(kinds)) {
          const total = kinds.filter((one) => one === kind).length;
          let seen = 0;
          kinds.forEach((one, i) => {
            if (one === kind) seen++;
            assert.ok(Math.abs(seen - total * (i + 1) / kinds.length) <= lengths.length);
          });
        }
      },
    ),
  );
});
