import assert from "node:assert";
import type { StateDict } from "../data/tensor.ts";
import { byteLengthOf } from "../data/file_array.ts";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { createMemoryStore } from "../store/memory_store.ts";
import type { Store } from "../store/store.ts";
import { compressWeights } from "./compress_weights.ts";
import { resolveOptions } from "./compressor_options.ts";
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
  /** Trials whose divergence was measured. */
  readonly measured: number;
}

/** What a search looks for: a file of so many bits, or of so much divergence. */
type Target = { readonly bits: number } | { readonly most: number };

async function compress(
  store: Store | undefined,
  { states = SEVERAL_TRIALS, folder, look = () => 0, ...target }: Target & {
    readonly states?: number;
    readonly folder?: string | undefined;
    readonly look?: () => number;
  },
): Promise<Made> {
  const looks = new Map<string, number>(), ran: Record<string, number> = {};
  const weights = randomWeights();
  let measured = 0;
  const measure = (restored: StateDict) => {
    measured++;
    return Promise.resolve(meanSquare(weights, restored));
  };
  const divergence = "most" in target ? { ...target, measure, measuredBy: "squares" } : undefined;
  const { bytes } = await compressWeights(
    weights,
    { divergence },
    resolveOptions({
      ...{ states, rateWeight: 0.06 },
      ...("bits" in target && { bits: target.bits }),
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
    }),
  );
  return { bytes: bytes.slice(), looks, ran, measured };
}

/** What stands for a divergence: the mean of the errors' squares. */
function meanSquare(weights: StateDict, restored: StateDict): number {
  let sum = 0, count = 0;
  for (const [name, { data }] of weights) {
    const other = restored.get(name)!.data;
    data.forEach((value, i) => sum += (value - other[i]!) ** 2);
    count += data.length;
  }
  return sum / count;
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

/** A divergence that takes several trials to meet. */
const MOST = 0.02;

inMemoryAndInFiles(
  "of a search for a divergence the best trial's code stays, and nothing is measured again",
  async (folder) => {
    const most = MOST;
    const expected = await compress(undefined, { most, folder });
    assert.ok(expected.measured >= 3, `${[...expected.looks.keys()]}`);
    const names = new Map<string, number>();
    const { store } = mortalStore(createMemoryStore(), names);
    const look = () => bytesIn(names);
    const { bytes, looks } = await compress(store, { most, folder, look });
    assert.deepEqual(bytes, expected.bytes);
    const code = bytesIn(names, "encode-"), passes = bytesIn(names, "pass-");
    assert.ok(code < bytes.length && code > 0.8 * bytes.length, `${code} of ${bytes.length}`);
    for (const [name, most] of looks) {
      assert.ok(most < looks.get("trial 1")! + 1.2 * code + passes, name);
    }
    const again = await compress(store, { most, folder });
    assert.deepEqual(again, { ...expected, ran: {}, measured: 0 });
    // What is not known of a trial whose code is gone is found out anew.
    const trials = [...names.keys()].filter((name) => name.endsWith("-measured"));
    assert.equal(trials.length, expected.measured);
    for (const trial of trials) await store.remove(trial);
    const { bytes: same, measured } = await compress(store, { most, folder });
    assert.deepEqual([same, measured], [expected.bytes, expected.measured]);
    assert.equal(bytesIn(names, "encode-"), code);
  },
);

/** CI sets KANPRESS_SLOW=1. */
const KILLED = Deno.env.get("KANPRESS_SLOW") === "1" ? 20 : 3;

inMemoryAndInFiles(
  "a search that is killed at any change of the store goes on to the same file",
  async (folder) => {
    const bits = 3, states = folder === undefined ? DRAFTED : SEVERAL_TRIALS;
    for (const target of [{ bits, states, folder }, { most: MOST, folder }]) {
      const whole = new Map<string, number>();
      const uncut = mortalStore(createMemoryStore(), whole);
      const expected = await compress(uncut.store, target);
      const random = createRandom(1);
      for (let run = 0; run < KILLED; run++) {
        const inner = createMemoryStore(), names = new Map<string, number>();
        for (let kill = 2; kill > 0; kill--) {
          const end = Math.floor(random.uniform() * uncut.changes() / kill);
          const again = compress(mortalStore(inner, names, end).store, target);
          // The second run takes up what the first has done, and may end before it is killed.
          if (kill === 2) await assert.rejects(again, /killed/);
          else await again.catch(({ message }: Error) => assert.match(message, /killed/));
        }
        const made = await compress(mortalStore(inner, names).store, target);
        assert.deepEqual(made.bytes, expected.bytes);
        assert.deepEqual([...names].sort(), [...whole].sort(), "nothing is left of runs before");
      }
    }
  },
);

Deno.test("what a search needs that was killed stays when another with the same trial goes by", async () => {
  const changed: string[] = [], alone = createMemoryStore();
  const noted = (name: string) => void changed.push(name.split("-")[0]!);
  const whole = await compress({
    ...alone,
    put: (name, bytes) => (noted(name), alone.put(name, bytes)),
    remove: (name) => (noted(name), alone.remove(name)),
  }, { most: MOST });
  const others = await compress(undefined, { most: 0.9 * MOST });
  // In the first trial, which is the same of both: before its codes and after them.
  const codes = changed.indexOf("encode");
  for (const end of [codes - 3, codes, codes + 1]) {
    const inner = createMemoryStore(), names = new Map<string, number>();
    await assert.rejects(compress(mortalStore(inner, names, end).store, { most: MOST }), /killed/);
    const results = [...names.keys()].filter((name) => /^(quantize|refine|encode)/.test(name));
    assert.ok(results.length >= 6);
    const other = await compress(mortalStore(inner, names).store, { most: 0.9 * MOST });
    assert.deepEqual(other.bytes, others.bytes);
    assert.deepEqual(results.filter((name) => !names.has(name)), []);
    const again = await compress(mortalStore(inner, names).store, { most: MOST });
    assert.deepEqual(again.bytes, whole.bytes);
    assert.equal(bytesIn(names, "quantize-") + bytesIn(names, "refine-"), 0);
    // The other needs its best trial's code, and goes by without running anything.
    const { ran } = await compress(mortalStore(inner, names).store, { most: 0.9 * MOST });
    assert.deepEqual(ran, {});
  }
});

Deno.test("a search in the store of another one has its own passes", async () => {
  const store = createMemoryStore();
  const targets = [{ bits: 3 }, { bits: 2.999 }, { most: MOST }, { most: 0.9 * MOST }];
  for (const target of [...targets, ...targets]) {
    const alone = await compress(undefined, target);
    assert.deepEqual((await compress(store, target)).bytes, alone.bytes);
  }
});
