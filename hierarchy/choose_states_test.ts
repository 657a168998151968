import assert from "node:assert";
import { chooseStates, EFFORTS } from "./choose_states.ts";

Deno.test("states grow with effort and never with size; a number given is taken", () => {
  for (const values of [1, 4e6, 1e8, 1e10]) {
    const states = EFFORTS.map((effort) => chooseStates({ effort }, values));
    assert.deepEqual(states, states.toSorted((a, b) => a - b));
  }
  for (const effort of EFFORTS) {
    const states = [1, 4e6, 1e8, 1e10].map((values) => chooseStates({ effort }, values));
    assert.deepEqual(states, states.toSorted((a, b) => b - a));
    assert.equal(chooseStates({ effort, states: 16 }, 1e6), 16);
  }
});
