import assert from "node:assert";
import { createFieldLevel } from "../../hierarchy/levels/field_level.ts";
import { draftTrellis } from "../../hierarchy/levels/trellis_draft.ts";
import { decodeTrellis } from "../../hierarchy/levels/trellis_codec.ts";
import { createTrellisLevel } from "../../hierarchy/levels/trellis_level.ts";
import { bytesOfStreams } from "../../hierarchy/levels/stream_lengths.ts";
import { randomMatrices } from "../../hierarchy/testdata/random_matrices.ts";
import { CodingWorkers, runnerOf } from "../../hierarchy/workers/coding_workers.ts";
import { storedTasks } from "../../hierarchy/workers/stored_tasks.ts";
import { createMemoryStore } from "../../store/memory_store.ts";
import type { Store } from "../../store/store.ts";
import { changedStore } from "../changed_store.ts";
import { mutatePacked } from "../mutate_packed.ts";
import type { FuzzTarget } from "../target.ts";

const { output: MATRICES } = await createFieldLevel({ step: 1 }).encode(
  randomMatrices([[6, 10], [12, 5]]),
  { seed: 0 },
);

/** Runs something with what is kept in a store. */
async function withStore<T>(store: Store, run: (workers: CodingWorkers) => Promise<T>): Promise<T> {
  const workers = new CodingWorkers(1, false, (here) => storedTasks(here, store));
  try {
    return await run(workers);
  } finally {
    workers.close();
  }
}

/** A trial of a search that measures it; what is then known of it. */
function encode(store: Store) {
  return withStore(store, async (workers) => {
    const passes = runnerOf(workers).passes!;
    await passes.beginSearch({ most: 1, empty: new Uint8Array(), measuredBy: "nothing" });
    const level = createTrellisLevel({ states: 4, rateWeight: 0.1 });
    const { encoded } = await level.encode(MATRICES, { seed: 0, workers });
    const { measured } = passes;
    await passes.keepMeasured(0.5);
    await passes.endTrial(true);
    return { encoded, measured };
  });
}

function draft(store: Store) {
  const options = { states: 4, rateWeight: 0.1, guess: undefined, places: ["0", "1"] };
  return withStore(store, (workers) => draftTrellis(MATRICES, options, { seed: 0, workers }));
}

/** A store with all that a trial and a draft leave, and the names of its entries. */
async function soundStore() {
  const store = createMemoryStore(), names = new Set<string>();
  const noted: Store = {
    ...store,
    async put(name, bytes) {
      names.add(name);
      await store.put(name, bytes);
    },
  };
  await encode(noted);
  const trial = [...names].filter((name) => PASS.test(name));
  await draft(noted);
  const passes = [...names].filter((name) => PASS.test(name));
  const beside = [...names].filter((name) => /-measured$|^users-/.test(name));
  return { store, trial, draft: passes.slice(trial.length), beside };
}

const PASS = /^pass-[\da-f]{64}$/;
const { store: SOUND, trial: TRIAL, draft: DRAFT, beside: BESIDE } = await soundStore();
const ENTRIES = await Promise.all(
  [...TRIAL, ...DRAFT].map(async (name) => (await SOUND.get(name))!),
);

function soundBut(changes: readonly [name: string, bytes: Uint8Array][]): Store {
  return changedStore(SOUND, new Map(changes));
}

export const target: FuzzTarget = {
  name: "kept_pass",
  description: "What a pass over the matrices came to in a store, and what stands beside it.",

  mutate: (random) => mutatePacked(random, ENTRIES[random.integer(ENTRIES.length)]!),

  async read(input) {
    const tries: (() => Promise<void>)[] = [];
    for (const name of TRIAL) {
      const trial = async (changes: [string, Uint8Array][], isLost: boolean) => {
        const { encoded } = await encode(soundBut(changes));
        const bytes = bytesOfStreams(encoded.streams);
        assert.ok(bytes > 0, `${bytes} bytes`);
        if (!isLost) decodeTrellis(encoded, [], MATRICES);
      };
      tries.push(() => trial([[name, input]], false));
      tries.push(() => trial([[name, input], [`${name}-lost`, input]], true));
    }
    for (const name of DRAFT) {
      tries.push(async () => {
        const { bits, fieldBytes } = await draft(soundBut([[name, input]]));
        for (const count of [...bits, ...fieldBytes]) assert.ok(count >= 0, `${count}`);
      });
    }
    // What stands beside passes is never refused.
    const { measured } = await encode(soundBut(BESIDE.map((name) => [name, input])));
    assert.ok(measured === undefined || typeof measured === "number");
    const refusals: unknown[] = [];
    for (const attempt of tries) await attempt().catch((error) => refusals.push(error));
    for (const error of refusals) if ((error as Error).name !== "InputError") throw error;
    if (refusals.length === tries.length) throw refusals[0];
  },
};
