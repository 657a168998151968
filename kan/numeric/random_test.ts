import assert from "node:assert";
import { createRandom } from "./random.ts";

Deno.test("createRandom() repeats with its seed and differs between seeds", () => {
  const draw = (seed: number) => {
    const random = createRandom(seed);
    return Array.from({ length: 8 }, () => random.uniform());
  };
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
});

Deno.test("createRandom() has the moments of its distributions", () => {
  const random = createRandom(3);
  const count = 100_000;
  let uniformSum = 0, normalSum = 0, normalSquares = 0;
  const faces = new Array<number>(6).fill(0);
  for (let i = 0; i < count; i++) {
    uniformSum += random.uniform();
    const normal = random.normal();
    normalSum += normal;
    normalSquares += normal * normal;
    faces[random.integer(6)]!++;
  }
  assert.ok(Math.abs(uniformSum / count - 0.5) < 0.005);
  assert.ok(Math.abs(normalSum / count) < 0.015);
  assert.ok(Math.abs(normalSquares / count - 1) < 0.02);
  for (const face of faces) assert.ok(Math.abs(face / count - 1 / 6) < 0.006);
});

Deno.test("createRandom() begins unlike for neighbouring seeds", () => {
  for (let draw = 0; draw < 4; draw++) {
    const counts = new Array<number>(8).fill(0);
    let products = 0;
    let previous = 0.5;
    for (let seed = 0; seed < 8000; seed++) {
      const random = createRandom(seed);
      for (let i = 0; i < draw; i++) random.uniform();
      const value = random.uniform();
      counts[Math.floor(8 * value)]!++;
      products += (value - 0.5) * (previous - 0.5);
      previous = value;
    }
    for (const count of counts) assert.ok(Math.abs(count - 1000) < 130, `${counts}`);
    assert.ok(Math.abs(products / 8000 * 12) < 0.05, `${products}`);
  }
});
