import assert from "node:assert";
import { collectGarbage } from "./collect_garbage.ts";

Deno.test("what nothing refers to is given back at once", () => {
  const resident = () => Deno.memoryUsage().rss;
  let arrays: Float32Array[] | undefined = [];
  const least = resident() + 4e8;
  while (resident() < least) arrays.push(new Float32Array(2e6).fill(1));
  arrays = undefined;
  const before = resident();
  collectGarbage();
  assert.ok(resident() < before - 3e8, `${before} and then ${resident()} bytes`);
});
