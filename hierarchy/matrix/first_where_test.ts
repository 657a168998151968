import assert from "node:assert";
import { firstWhere } from "./first_where.ts";

Deno.test("firstWhere() finds the border wherever it is", () => {
  for (let end = 0; end < 20; end++) {
    for (let border = 0; border <= end; border++) {
      assert.equal(firstWhere(end, (index) => index >= border), border);
    }
  }
  assert.equal(firstWhere(2 ** 34, (index) => index >= 2 ** 33 + 5), 2 ** 33 + 5);
});
