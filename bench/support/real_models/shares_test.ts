import assert from "node:assert";
import type { ResultLine, TextResult } from "./results_file.ts";
import { equalQuality, qualityPoints, sharesTable } from "./shares.ts";

const file = (method: string, counted: number): ResultLine => ({
  kind: "file",
  method,
  file: { program: method.split(" ")[0]!, bytes: counted, counted, linear: 0, seconds: 3, peak: 0 },
});
const text = (method: string, mean: number, p999: number, name = "novel"): ResultLine => ({
  kind: "text",
  method,
  text: name,
  result: { protocol: "llama.cpp", klDivergence: { mean, p999 } } as TextResult,
  seconds: 1,
});

const LINES = [
  file("kanpress 2.00", 200),
  text("kanpress 2.00", 0.9, 9),
  text("kanpress 2.00", 0.4, 4),
  file("kanpress 3.00", 300),
  text("kanpress 3.00", 0.1, 1),
  file("llama.cpp Q2_K", 500),
  text("llama.cpp Q2_K", 0.2, 3),
  file("llama.cpp Q4_K_M", 800),
  text("llama.cpp Q4_K_M", 0.01, 0.1),
];

Deno.test("of several results of a file the last counts", () => {
  const points = qualityPoints(LINES, "novel");
  assert.deepEqual(points.map(({ mean }) => mean), [0.4, 0.1, 0.2, 0.01]);
  assert.deepEqual(qualityPoints(LINES, "other"), []);
});

Deno.test("bytes for an equal divergence lie between two rates, on a geometric line", () => {
  const ours = qualityPoints(LINES, "novel").slice(0, 2);
  // Half way between .4 and .1 on a scale of logarithms.
  const equal = equalQuality(ours, 0.2)!;
  assert.ok(Math.abs(equal.bytes - 250) < 1e-9 && Math.abs(equal.p999 - 2) < 1e-9);
  assert.ok(Math.abs(equalQuality(ours, 0.1)!.bytes - 300) < 1e-9);
  assert.equal(equalQuality(ours, 0.01), undefined);
  assert.equal(equalQuality(ours, 0.5), undefined);
});

Deno.test("the table tells what is reached, and where nothing can be said", () => {
  const rows = (goals: Record<string, number>) => sharesTable(LINES, goals).split("\n");
  const [, , first, second] = rows({ Q2_K: 0.5 });
  assert.match(first!, /Q4_K_M.*not between the rates/);
  assert.match(second!, /Q2_K.*\b0\.2[0 ]*\| +50\.0 % +\| +50 % +\| +3\.00 \| +2\.00 \| +reached/);
  assert.match(rows({ Q2_K: 0.4 })[3]!, /missed \|$/);
  assert.equal(sharesTable([], {}), "");
});
