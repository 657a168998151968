import assert from "node:assert";
import fc from "fast-check";
import { mixTexts, scatter, spread } from "./choose_chunks.ts";

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

Deno.test("scatter() spreads every stretch over the whole text, and loses no chunk", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 4 }),
      (count, chunk) => {
        const text = Int32Array.from({ length: count * chunk }, (_, i) => Math.floor(i / chunk));
        const scattered = scatter(text, chunk);
        assert.deepEqual(scattered.toSorted(), text);
        const chunks = [...scattered].filter((_, i) => i % chunk === 0);
        for (let read = 1; read <= count; read++) {
          const beginning = chunks.slice(0, read).toSorted((a, b) => a - b);
          const gaps = [...beginning, count].map((at, i) => at - (beginning[i - 1] ?? -1));
          assert.ok(gaps.every((gap) => gap <= 4 * count / read + 1), `${beginning} of ${count}`);
        }
      },
    ),
  );
  assert.deepEqual([...scatter(Int32Array.of(0, 1, 2, 3, 4, 5, 6), 1)], [0, 4, 2, 6, 1, 5, 3]);
});

Deno.test("mixTexts() that scatters has the same chunks, of all texts at every place", () => {
  const texts = [0, 1, 2].map((text) => Int32Array.from({ length: 40 }, (_, i) => 100 * text + i));
  const plain = mixTexts(texts, 90, 5), scattered = mixTexts(texts, 90, 5, true);
  assert.deepEqual(scattered.toSorted(), plain.toSorted());
  const kinds = (tokens: Int32Array) => [...tokens].map((token) => Math.floor(token / 100));
  assert.deepEqual(kinds(scattered), kinds(plain));
  assert.notDeepEqual(scattered, plain);
});
