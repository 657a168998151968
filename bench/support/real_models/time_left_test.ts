import assert from "node:assert";
import { TimeLeft } from "./time_left.ts";

Deno.test("the time left is that of the pieces left, by the means of their kinds", () => {
  const left = new TimeLeft(["compress", "text", "text", "task"]);
  assert.equal(left.seconds(), undefined);
  assert.equal(`${left}`, "4 pieces of work left");
  left.learn("compress", 100);
  left.finish("text", 20);
  left.learn("text", 40);
  // 100 + 30 + a task, which is taken to last as long as the mean of 100 and 30.
  assert.equal(left.seconds(), 195);
  assert.equal(`${left}`, "3 pieces of work, about 4 min left");
  left.finish("compress", 100);
  left.finish("task", 10);
  assert.equal(`${left}`, "1 piece of work, about 30 s left");
});
