import assert from "node:assert";
import { programName } from "./program_name.ts";

Deno.test("the program is called as its user calls it", () => {
  assert.equal(programName({}), "kanpress");
  assert.equal(programName({ npm_lifecycle_event: "npx" }), "npx kanpress");
  // `npm run compress`, whose script may be "kanpress compress".
  assert.equal(programName({ npm_lifecycle_event: "compress" }), "kanpress");
});
