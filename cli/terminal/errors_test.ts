import assert from "node:assert";
import { CommanderError } from "commander";
import { InputError } from "../../data/mod.ts";
import { describeError, exitStatusOf, Interrupted, naming, UsageError } from "./errors.ts";

Deno.test("exit status is 0 for help, 2 for misuse, 1 for failures", () => {
  assert.equal(exitStatusOf(new CommanderError(0, "commander.helpDisplayed", "help")), 0);
  assert.equal(exitStatusOf(new CommanderError(1, "commander.unknownOption", "what?")), 2);
  assert.equal(exitStatusOf(new UsageError("no")), 2);
  assert.equal(exitStatusOf(new InputError("model.safetensors: truncated")), 1);
  assert.equal(exitStatusOf(new Interrupted()), 1);
  assert.equal(new Interrupted().message, "interrupted; no partial output was left behind");
  assert.match(new Interrupted([], true).message, /what is done is kept: run the same again/);
  assert.equal(
    new Interrupted(["a", "b.svg"]).message,
    "interrupted; a and b.svg had been written before and are whole",
  );
  assert.equal(exitStatusOf("a string"), 1);
});

Deno.test("an error is described in one line", () => {
  assert.equal(describeError(new InputError("a: b\n  c\r\nd")), "a: b; c; d");
  assert.equal(describeError(new Error("")), "Error");
  assert.equal(describeError("plain"), "plain");
  assert.match(describeError(new RangeError("Array buffer allocation failed")), /^memory has run/);
  const missing = new Error("Cannot find package '@some/thing' imported from /a/b.js");
  assert.equal(
    describeError(Object.assign(missing, { code: "ERR_MODULE_NOT_FOUND" })),
    "this needs the package @some/thing, which is not installed: npm install @some/thing",
  );
});

Deno.test("what speaks of parts only is given a name", () => {
  assert.equal(naming("model", () => 1), 1);
  const fail = (error: Error) => () =>
    naming("model", () => {
      throw error;
    });
  assert.throws(fail(new InputError("tensor w: too short")), {
    name: "InputError",
    message: "model: tensor w: too short",
  });
  assert.throws(fail(new TypeError("bug")), { name: "TypeError", message: "bug" });
});

Deno.test("what speaks of parts only later is given a name too", async () => {
  assert.equal(await naming("model", () => Promise.resolve(1)), 1);
  const fail = (error: Error) => naming("model", () => Promise.reject(error));
  await assert.rejects(fail(new InputError("tensor w: too short")), {
    name: "InputError",
    message: "model: tensor w: too short",
  });
  await assert.rejects(fail(new TypeError("bug")), { name: "TypeError", message: "bug" });
});
