import assert from "node:assert";
import { forecastLines, formatAbout } from "./forecast.ts";

Deno.test("a long run says how long, what for, in how much memory, and what is quicker", () => {
  const phases = [
    { name: "sample", seconds: 420 },
    { name: "compress", seconds: 300 },
    { name: "write", seconds: 1 },
    { name: "compress", seconds: 180 },
  ];
  assert.deepEqual(forecastLines({ phases, memory: 1.8e9, quicker: ["--effort fast", "--bits"] }), [
    "this takes about 15 min and 1.8 GB of memory (sample 7 min, compress 8 min)",
    "quicker: --effort fast; --bits",
  ]);
  const memory = [634.1e6, 996e6, 12.4e9].map((bytes) =>
    / and (.*) of memory/.exec(forecastLines({ phases, memory: bytes })[0]!)![1]
  );
  assert.deepEqual(memory, ["630 MB", "1.0 GB", "12 GB"]);
  assert.deepEqual(forecastLines({ phases: [{ name: "read", seconds: 2 }] }), []);
});

Deno.test("an estimate has no more digits than it is worth", () => {
  const texts = [0.2, 4.4, 37, 88, 100, 1500, 5400, 20_000, 36_500, 4e6].map(formatAbout);
  assert.deepEqual(texts, [
    "1 s",
    "4 s",
    "35 s",
    "90 s",
    "2 min",
    "25 min",
    "1.5 h",
    "5.6 h",
    "10 h",
    "1,111 h",
  ]);
});
