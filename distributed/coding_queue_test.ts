import assert from "node:assert";
import fc from "fast-check";
import { InputError } from "../data/input_error.ts";
import {
  MEMORY_CLASSES,
  memoryClass,
  parseCodingJob,
  parseGroupJob,
  queueName,
} from "./coding_queue.ts";

Deno.test("a job is its kind, a hash and a run, and nothing else is read", () => {
  const sound = { kind: "encode", key: "0a".repeat(32), run: crypto.randomUUID() } as const;
  assert.deepEqual(parseCodingJob({ ...sound, path: "/etc/passwd" }), sound);
  fc.assert(fc.property(fc.constantFrom("kind", "key", "run"), fc.anything(), (field, value) => {
    fc.pre(value !== sound[field]);
    if (field === "kind") fc.pre(value !== "quantize" && value !== "refine");
    assert.throws(() => parseCodingJob({ ...sound, [field]: value }), InputError);
  }));
  fc.assert(fc.property(fc.anything(), (value) => {
    assert.throws(() => parseCodingJob(value), InputError);
  }));
});

Deno.test("a group is its run and names of results, and nothing else is read", () => {
  const results = [`quantize-${"0a".repeat(32)}`, `encode-${"1b".repeat(32)}`];
  const sound = { run: crypto.randomUUID(), results };
  assert.deepEqual(parseGroupJob({ ...sound, path: "/etc/passwd" }), sound);
  for (const name of ["../etc", "store-identity", "blob-", `Q-${"0".repeat(64)}`, 7]) {
    assert.throws(() => parseGroupJob({ ...sound, results: [...results, name] }), InputError);
  }
  fc.assert(fc.property(fc.anything(), (value) => {
    assert.throws(() => parseGroupJob(value), InputError);
    assert.throws(() => parseGroupJob({ ...sound, run: value }), InputError);
  }));
});

Deno.test("tasks go to the smallest class that has room", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 38 }), (bytes) => {
    const room = memoryClass(bytes);
    assert.ok(room >= bytes);
    assert.ok(MEMORY_CLASSES.every((other) => other >= room || other < bytes));
  }));
  assert.throws(() => memoryClass(2 ** 38 + 1), /leave --redis out/);
  const names = MEMORY_CLASSES.map((room) => queueName("redis", room));
  assert.equal(new Set(names).size, names.length);
});
