import assert from "node:assert";
import { connectRedis } from "../../distributed/redis_link.ts";
import { NeededArrays } from "../../distributed/needed_arrays.ts";
import { takePart } from "../../distributed/presence.ts";
import { openSharedStore } from "../../distributed/shared_store.ts";
import { needsRedis, RedisServer } from "../../distributed/testdata/redis_server.ts";
import { InputError } from "../../data/input_error.ts";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { recordedRun } from "../testdata/recorded_run.ts";
import { openSpread } from "./spread.ts";

Deno.test("a store that is the work folder is refused before anything is asked", async () => {
  const options = { redis: "redis://127.0.0.1:1", store: "folder", work: "./folder" };
  await assert.rejects(openSpread(options, recordedRun()), (error) => {
    assert.ok(error instanceof InputError);
    return /^folder: .*name another folder, or leave --work out/.test(error.message);
  });
});

Deno.test("what is left in a store for another run is told", needsRedis, async () => {
  await using server = new RedisServer();
  await server.start();
  using place = new TemporaryFolder();
  const folder = place.path;
  const link = await connectRedis(server.address);
  try {
    const shared = await openSharedStore(folder, link);
    const other = await takePart(link, "run", { store: shared.label, threads: 0, memory: 0 });
    const names = new Set(["blob-1", "blob-2"]);
    for (const name of names) await shared.store.put(name, new Uint8Array(1));
    await new NeededArrays(link, shared, other.id).need(names);
    const run = recordedRun();
    await using spread = await openSpread({ redis: server.address, store: folder }, run);
    const { sent } = spread!.tasksThrough(() => Promise.reject(new Error("not run here")));
    await sent!.need(names);
    await spread!.finish();
    assert.equal(
      run.lines.at(-1),
      `${folder}: keeps 2 large arrays of the model for another run of it, which removes them when ` +
        "it ends; if there is none, the next one does",
    );
    await other.end();
    await spread!.finish();
    assert.deepEqual(await Promise.all([...names].map((name) => shared.store.has(name))), [
      false,
      false,
    ]);
  } finally {
    link.close();
  }
});
