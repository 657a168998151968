import assert from "node:assert";
import { programName } from "./program_name.ts";

Deno.test("the program is called as its user calls it", () => {
  assert.equal(programName({}), "kanpress");
  for (const script of ["kanpress", "'kanpress'", '"kanpress"']) {
    assert.equal(programName({ npm_lifecycle_script: script }), "npx kanpress");
  }
  // `npx deno …`, and `npm run small` of a package that compresses.
  for (const script of ["'deno'", "kanpress compress ./my-model"]) {
    assert.equal(programName({ npm_lifecycle_script: script }), "kanpress");
  }
});
