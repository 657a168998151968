import assert from "node:assert";
import type { StateDict } from "../data/tensor.ts";
import { byteLengthOf } from "../data/file_array.ts";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { createMemoryStore } from "../store/memory_store.ts";
import type { Store } from "../store/store.ts";
import { HierarchicalCompressor } from "./compressor.ts";
import { storedTasks } from "./workers/stored_tasks.ts";

const SHAPES = [[90, 70], [400, 330], [30, 50]] as const;

/** States of searches without drafts, which take several trials, and of searches with drafts. */
const SEVERAL_TRIALS = 8, DRAFTED = 16;

function randomWeights(): StateDict {
  const random = createRandom(3);
  return new Map(SHAPES.map((shape, i) => {
    const data = Float32Array.from(
      { length: shape[0] * shape[1] },
      () => random.normal() * Math.exp(random.normal()),
    );
    return [`w${i}`, { shape: [...shape], dtype: "F32" as const, data }];
  }));
}

/** A store that says what it holds; from its change number `end` on all fail, as if the run was killed. */
function mortalStore(inner: Store, names: Map<string, number>, end = Infinity) {
  let changes = 0;
  const change = async (doIt: () => Promise<void>) => {
    if (changes++ >= end) throw new Error("killed");
    await doIt();
  };
  const store: Store = {
    ...inner,
    put: (name, bytes) =>
      change(async () => {
        await inner.put(name, bytes);
        names.set(name, byteLengthOf(bytes));
      }),
    remove: (name) =>
      change(async () => {
        await inner.remove(name);
        names.delete(name);
      }),
  };
  return { store, changes: () => changes };
}

function bytesIn(names: ReadonlyMap<string, number>, kind = ""): number {
  return [...names].reduce((sum, [name, bytes]) => sum + (name.startsWith(kind) ? bytes : 0), 0);
}

interface Made {
  readonly bytes: Uint8Array;
  /** Trials and drafts of the search, with what `look` gave at most in each. */
  readonly looks: ReadonlyMap<string, number>;
  /** Tasks of each kind that were run. */
  readonly ran: Readonly<Record<string, number>>;
}

async function compress(
  store: Store | undefined,
  { bits, states = SEVERAL_TRIALS, folder, look = () => 0 }: {
    readonly bits: number;
    readonly states?: number;
    readonly folder?: string | undefined;
    readonly look?: () => number;
  },
): Promise<Made> {
  const looks = new Map<string, number>(), ran: Record<string, number> = {};
  const { bytes } = await new HierarchicalCompressor({
    ...{ bits, states, rateWeight: 0.06 },
    ...(folder !== undefined && { scratchFolder: folder }),
    tasksThrough: (run) => {
      const counting: typeof run = (kind, tasks, options) => {
        ran[kind] = (ran[kind] ?? 0) + tasks.length;
        return run(kind, tasks, options);
      };
      return store === undefined ? counting : storedTasks(counting, store);
    },
    onProgress: (activity) => {
      looks.set(activity, Math.max(looks.get(activity) ?? 0, look()));
    },
  }).compress(randomWeights());
  return { bytes: bytes.slice(), looks, ran };
}

/** Runs a test in memory, and with files in a folder. */
function inMemoryAndInFiles(name: string, test: (folder?: string) => Promise<void>): void {
  Deno.test(`${name}, in memory`, () => test());
  Deno.test(`${name}, in files`, async () => {
    using folder = new TemporaryFolder();
    await test(folder.path);
  });
}

inMemoryAndInFiles(
  "of a search the best trial's code stays, and nothing is run again",
  async (folder) => {
    const bits = 3;
    for (const states of [SEVERAL_TRIALS, DRAFTED]) {
      const expected = await compress(undefined, { bits, states, folder });
      const trials = [...expected.looks.keys()].filter((name) => name.startsWith("trial"));
      const drafts = [...expected.looks.keys()].filter((name) => name.startsWith("draft"));
      const isLong = states === DRAFTED ? drafts.length >= 1 : trials.length >= 2;
      assert.ok(isLong, `${[...expected.looks.keys()]}`);
      const names = new Map<string, number>();
      const { store } = mortalStore(createMemoryStore(), names);
      const look = () => bytesIn(names);
      const { bytes, looks } = await compress(store, { bits, states, folder, look });
      assert.deepEqual(bytes, expected.bytes);
      assert.equal(bytesIn(names, "quantize-") + bytesIn(names, "refine-"), 0);
      const code = bytesIn(names, "encode-"), passes = bytesIn(names, "pass-");
      assert.ok(code < bytes.length && code > 0.8 * bytes.length, `${code} of ${bytes.length}`);
      // Every trial but the first has beside its own code that of the best one before.
      for (const name of trials.slice(1)) {
        assert.ok(looks.get(name)! < looks.get("trial 1")! + 1.1 * code + passes, name);
      }
      const again = await compress(store, { bits, states, folder });
      assert.deepEqual(again, { ...expected, ran: {} });
    }
  },
);

/** CI sets KANPRESS_SLOW=1. */
const KILLED = Deno.env.get("KANPRESS_SLOW") === "1" ? 20 : 3;

inMemoryAndInFiles(
  "a search that is killed at any change of the store goes on to the same file",
  async (folder) => {
    const bits = 3, states = folder === undefined ? DRAFTED : SEVERAL_TRIALS;
    const whole = new Map<string, number>();
    const uncut = mortalStore(createMemoryStore(), whole);
    const expected = await compress(uncut.store, { bits, states, folder });
    const random = createRandom(1);
    for (let run = 0; run < KILLED; run++) {
      const inner = createMemoryStore(), names = new Map<string, number>();
      for (let kill = 2; kill > 0; kill--) {
        const end = Math.floor(random.uniform() * uncut.changes() / kill);
        const { store } = mortalStore(inner, names, end);
        const again = compress(store, { bits, states, folder });
        // The second run takes up what the first has done, and may end before it is killed.
        if (kill === 2) await assert.rejects(again, /killed/);
        else await again.catch(({ message }: Error) => assert.match(message, /killed/));
      }
      const made = await compress(mortalStore(inner, names).store, { bits, states, folder });
      assert.deepEqual(made.bytes, expected.bytes);
      assert.deepEqual([...names].sort(), [...whole].sort(), "nothing is left of the runs before");
    }
  },
);

Deno.test("a search in the store of another one has its own passes", async () => {
  const store = createMemoryStore();
  for (const bits of [3, 2.999, 3]) {
    const alone = await compress(undefined, { bits });
    assert.deepEqual((await compress(store, { bits })).bytes, alone.bytes);
  }
});
