import assert from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { greatest, least } from "./extremes.ts";

Deno.test("lists that are too long to be arguments have extremes too", () => {
  const values = new Float64Array(400_000).fill(1);
  values[300_000] = 3;
  values[7] = -2;
  assert.equal(greatest(values), 3);
  assert.equal(least(values), -2);
  assert.deepEqual([greatest([]), least([])], [-Infinity, Infinity]);
  assert.ok(Number.isNaN(greatest([1, NaN, 2])));
});

Deno.test("no list is spread into the arguments of Math.max or Math.min", () => {
  const root = fileURLToPath(new URL("..", import.meta.url));
  for (const folder of ["data", "eval", "cli", "demo/page"]) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts") || /_test\.ts$|testdata|extremes/.test(name)) continue;
      const source = readFileSync(join(root, folder, name), "utf8");
      const found = /Math\.(?:max|min)\(\s*(?:[\w.]+,\s*)?\.\.\./.exec(source);
      assert.equal(found, null, `${folder}/${name}: use greatest or least of data/extremes.ts`);
    }
  }
});
