import assert from "node:assert";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { join } from "node:path";
import type { StateDict } from "../data/tensor.ts";
import { HierarchicalCompressor } from "../hierarchy/compressor.ts";
import { storedTasks } from "../hierarchy/workers/stored_tasks.ts";
import type { RunTasks } from "../hierarchy/workers/task_runner.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { createMemoryStore } from "../store/memory_store.ts";
import type { Store } from "../store/store.ts";
import { DistributedTasks } from "./distributed_tasks.ts";
import { connectRedis } from "./redis_link.ts";
import { openSharedStore } from "./shared_store.ts";
import { needsRedis, RedisServer } from "./testdata/redis_server.ts";
import { startWorker } from "./testdata/sides.ts";

/** CI sets KANPRESS_SLOW=1. */
const KILLED = Deno.env.get("KANPRESS_SLOW") === "1" ? 20 : 3;

function randomWeights(): StateDict {
  const random = createRandom(3);
  return new Map([[90, 70], [400, 330], [30, 50]].map((shape, i) => {
    const data = Float32Array.from({ length: shape[0]! * shape[1]! }, () => random.normal());
    return [`w${i}`, { shape, dtype: "F32" as const, data }];
  }));
}

/** A search of several trials. */
async function compress(run?: RunTasks, bits = 3): Promise<Uint8Array> {
  const compressor = new HierarchicalCompressor({
    ...{ bits, states: 8, rateWeight: 0.06 },
    ...(run && { tasksThrough: () => run }),
  });
  return (await compressor.compress(randomWeights())).bytes.slice();
}

/** A store all of whose changes from number `end` on fail, as if the run was killed. */
function mortalStore(inner: Store, end: number) {
  let changes = 0;
  const change = (doIt: () => Promise<void>) =>
    changes++ < end ? doIt() : Promise.reject(new Error("killed"));
  const store: Store = {
    ...inner,
    put: (name, bytes) => change(() => inner.put(name, bytes)),
    remove: (name) => change(() => inner.remove(name)),
  };
  return { store, changes: () => changes };
}

/** Where a search puts its tasks. */
interface Place {
  readonly address: string;
  readonly place: string;
  /** From this change of the store on all fail. */
  readonly end?: number;
}

type RunOf = (tasks: DistributedTasks) => RunTasks;

/** Runs a search with workers to its end; gives its bytes, and how often it has changed the store. */
async function search(
  { address, place, end = Infinity }: Place,
  runOf: RunOf = (tasks) => tasks.runKept(),
  bits?: number,
) {
  const link = await connectRedis(address);
  const { label, store: inner } = await openSharedStore(place, link);
  const { store, changes } = mortalStore(inner, end);
  const tasks = await DistributedTasks.open({ link, shared: { label, store } });
  try {
    const bytes = await compress(runOf(tasks), bits);
    await tasks.finish();
    return { bytes, changes: changes() };
  } finally {
    await tasks.close();
    link.close();
  }
}

function entriesIn(place: string): string[] {
  return [...Deno.readDirSync(place)].map(({ name }) => name);
}

/** Kinds of the entries of a store in a folder. */
function kindsIn(place: string): string[] {
  const kinds = new Set(entriesIn(place).map((name) => name.replace(/-[\da-f]{64}/, "")));
  return [...kinds].sort();
}

/** Kills searches twice at random moments, which then go on to their end, and looks what is left. */
async function killOften(at: Place, left: readonly string[], newRun: () => RunOf) {
  const { bytes: expected, changes } = await search(at, newRun());
  const random = createRandom(1);
  let killed = 0;
  for (let round = 0; round < KILLED; round++) {
    for (const name of entriesIn(at.place)) {
      if (!/^(CACHEDIR|store-)/.test(name)) await Deno.remove(join(at.place, name));
    }
    const runOf = newRun();
    for (let kill = 2; kill > 0; kill--) {
      const end = Math.floor(changes * random.uniform() / kill);
      // The second run takes up what the first has done, and may end before it is killed.
      await search({ ...at, end }, runOf).catch(({ message }: Error) => {
        assert.match(message, /killed/);
        killed++;
      });
    }
    assert.deepEqual((await search(at, runOf)).bytes, expected);
    assert.deepEqual(kindsIn(at.place), left);
  }
  assert.ok(killed > KILLED);
}

/** Runs `work` with a server, and a folder for a store. */
async function withPlace(work: (at: Place) => Promise<void>) {
  await using server = new RedisServer();
  await server.start();
  using folder = new TemporaryFolder();
  await work({ address: server.address, place: folder.path });
}

/** What stays of a search whose run keeps nothing elsewhere: its passes, and the best trial's code. */
const LASTING = ["CACHEDIR.TAG", "encode", "pass", "pass-lost", "store-identity", "users"];

Deno.test(
  "of what was sent and given only what passes came to stays",
  needsRedis,
  () =>
    withPlace(async (at) => {
      const expected = await compress();
      await using helper = await startWorker(at.address, at);
      assert.deepEqual((await search(at)).bytes, expected);
      assert.deepEqual(kindsIn(at.place), LASTING);
      const done = helper.done();
      assert.ok(done > 10);
      assert.deepEqual((await search(at)).bytes, expected);
      assert.equal(helper.done(), done, "the same command finds all of it");
    }),
);

Deno.test(
  "a run that is killed at any change of the store goes on, and leaves no more",
  needsRedis,
  () =>
    withPlace(async (at) => {
      await using _helper = await startWorker(at.address, at);
      await killOften(at, LASTING, () => (tasks) => tasks.runKept());
    }),
);

Deno.test(
  "with a work folder nothing stays where tasks were sent to",
  needsRedis,
  () =>
    withPlace(async (at) => {
      await using _helper = await startWorker(at.address, at);
      await killOften(at, ["CACHEDIR.TAG", "store-identity"], () => {
        const work = createMemoryStore();
        return (tasks) => storedTasks(tasks.run, work);
      });
    }),
);

Deno.test(
  "runs side by side in one store do not take each other's tasks away",
  needsRedis,
  () =>
    withPlace(async (at) => {
      await using helper = await startWorker(at.address, at);
      // Twice the same command, and one with other steps: all have the same weights.
      const runs = [3, 3, 2.5].map((bits) => search(at, undefined, bits));
      const [first, second, third] = (await Promise.all(runs)).map(({ bytes }) => bytes);
      const expected = await compress();
      assert.deepEqual([first, second], [expected, expected]);
      assert.deepEqual(third, await compress(undefined, 2.5));
      assert.deepEqual(helper.heard, []);
      assert.deepEqual(kindsIn(at.place), LASTING);
    }),
);
