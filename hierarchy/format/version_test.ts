import assert from "node:assert";
import config from "../../deno.json" with { type: "json" };
import { READ_VERSIONS } from "./constants.ts";
import { KANPRESS_VERSION, versionProblem } from "./version.ts";

Deno.test("the version of the code is that of the package", () => {
  assert.equal(KANPRESS_VERSION, config.version);
});

Deno.test("versionProblem() says who wrote a file of another version and what to do", () => {
  for (const version of READ_VERSIONS) assert.equal(versionProblem(version, undefined), undefined);
  const here = `this kanpress ${KANPRESS_VERSION} reads the format versions 3 and 4`;
  assert.equal(
    versionProblem("1", undefined),
    `was written in format version 1 by a kanpress before 0.1.0; ${here}; ` +
      "compress the model again, or decompress the file with the kanpress that wrote it",
  );
  assert.equal(
    versionProblem("12", "kanpress 0.9.0"),
    `was written in format version 12 by kanpress 0.9.0; ${here}; update kanpress`,
  );
  assert.equal(
    versionProblem("12", undefined),
    `was written in format version 12; ${here}; update kanpress`,
  );
  assert.match(versionProblem("12", "a\x1b[2J".repeat(99))!, /^[\x20-\x7e…]{1,200}$/);
  for (const version of [undefined, "", "0", "2.0", "-1", "1e9", "two\n"]) {
    assert.match(versionProblem(version, undefined)!, /which no kanpress writes/);
  }
});
