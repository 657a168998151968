import assert from "node:assert";
import { createMemoryStore } from "../store/memory_store.ts";
import { NeededArrays } from "./needed_arrays.ts";
import { takePart } from "./presence.ts";
import { connectRedis } from "./redis_link.ts";
import { needsRedis, RedisServer } from "./testdata/redis_server.ts";

const NAMES = ["blob-1", "blob-2", "blob-3"];

Deno.test(
  "what is needed no more goes, but for what another run needs that is there",
  needsRedis,
  async () => {
    await using server = new RedisServer();
    await server.start();
    const link = await connectRedis(server.address);
    const store = createMemoryStore();
    const shared = { store, label: "one" };
    const part = (label: string) => takePart(link, "run", { store: label, threads: 0, memory: 0 });
    const runs = [await part("one"), await part("one"), await part("two")];
    const [first, second, elsewhere] = runs.map(({ id }) => new NeededArrays(link, shared, id));
    const put = () => Promise.all(NAMES.map((name) => store.put(name, new Uint8Array(1))));
    const left = async () => {
      const are = await Promise.all(NAMES.map((name) => store.has(name)));
      return are.map(Number).join("");
    };
    await put();
    await first!.need(new Set(NAMES));
    await second!.need(new Set(["blob-2"]));
    await elsewhere!.need(new Set(NAMES));
    await first!.need(new Set(["blob-3"]));
    assert.equal(await left(), "011");
    await first!.need(new Set());
    assert.equal(await left(), "010");
    // Looked at again once the other needs it no more.
    await second!.end();
    await first!.need(new Set());
    assert.equal(await left(), "000");
    // One that is gone needs nothing, though it has not said so.
    await put();
    await second!.need(new Set(NAMES));
    await runs[1]!.end();
    await first!.need(new Set(NAMES));
    await first!.need(new Set());
    assert.equal(await left(), "000");
    for (const run of runs) await run.end();
    link.close();
  },
);
