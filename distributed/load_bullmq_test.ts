import assert from "node:assert";
import { globSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { loadBullmq } from "./load_bullmq.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

Deno.test("BullMQ is loaded in one way, which asks for no permission on the way", async () => {
  const { Queue } = await loadBullmq();
  assert.equal(typeof Queue, "function");
  assert.equal(process.env["MSGPACKR_NATIVE_ACCELERATION_DISABLED"], "true");
  const others = globSync("{distributed,cli,store}/**/*.ts", { cwd: ROOT }).filter((path) =>
    !path.startsWith("distributed/load_bullmq") &&
    /^(?!import type).*\bimport\("bullmq"\);/m.test(readFileSync(`${ROOT}/${path}`, "utf8"))
  );
  assert.deepEqual(others, []);
});
