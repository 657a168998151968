import assert from "node:assert";
import { MEASURED_HEADING, readMeasuredTable, sectionOf } from "./measured_table.ts";

const CARD = `# A model

${MEASURED_HEADING}

|  | original | compressed |  |
| --- | ---: | ---: | --- |
| size | 8.55 MB | 2.13 MB | 4.01× smaller than F16 |
| mean KL divergence |  | 0.000630 ± 0.000016 | nats per token |
| a \\| b | 1 | 2 |  |

Measured on 4,318 predicted tokens.

## Use

| not | of | this | table |
`;

Deno.test("the rows of a card's table are read", () => {
  assert.deepEqual(readMeasuredTable(CARD), [
    {
      name: "size",
      original: "8.55 MB",
      compressed: "2.13 MB",
      remark: "4.01× smaller than F16",
    },
    {
      name: "mean KL divergence",
      original: "",
      compressed: "0.000630 ± 0.000016",
      remark: "nats per token",
    },
    { name: "a | b", original: "1", compressed: "2", remark: "" },
  ]);
});

Deno.test("a section ends where the next begins", () => {
  assert.match(sectionOf(CARD, MEASURED_HEADING)!, /^## What[^]*tokens\.$/);
  assert.equal(sectionOf(CARD, "## Files"), undefined);
});

Deno.test("cards of others have no rows", () => {
  assert.deepEqual(readMeasuredTable(""), []);
  assert.deepEqual(readMeasuredTable("| a | b |\n| - | - |\n| 1 | 2 |"), []);
  const empty = `\n${MEASURED_HEADING}\n\nHow well it does has not been measured.`;
  assert.deepEqual(readMeasuredTable(empty), []);
});
