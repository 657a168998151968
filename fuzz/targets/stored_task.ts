import assert from "node:assert";
import { createFieldLevel } from "../../hierarchy/levels/field_level.ts";
import { decodeTrellis } from "../../hierarchy/levels/trellis_codec.ts";
import { createTrellisLevel } from "../../hierarchy/levels/trellis_level.ts";
import { randomMatrices } from "../../hierarchy/testdata/random_matrices.ts";
import type { CountedMatrix } from "../../hierarchy/workers/coding_tasks.ts";
import { hexHash } from "../../hierarchy/workers/packed_tasks.ts";
import { CodingWorkers } from "../../hierarchy/workers/coding_workers.ts";
import { storedTasks } from "../../hierarchy/workers/stored_tasks.ts";
import type { RunTasks } from "../../hierarchy/workers/task_runner.ts";
import type { Size } from "../../hierarchy/scan/diagonals.ts";
import { packValue, unpackValue } from "../../store/packed_value.ts";
import { createMemoryStore } from "../../store/memory_store.ts";
import type { Store } from "../../store/store.ts";
import { changedStore } from "../changed_store.ts";
import { mutatePacked } from "../mutate_packed.ts";
import type { FuzzTarget } from "../target.ts";

const KINDS = ["quantize", "refine", "encode"] as const;
const SIZE = [6, 10] as const;
const { output: MATRICES } = await createFieldLevel({ step: 1 }).encode(
  randomMatrices([SIZE]),
  { seed: 0 },
);

/** Codes the matrix with what is kept in a store; gives the sizes that results have, too. */
async function encode(store: Store) {
  const sizes: Size[] = [];
  const workers = new CodingWorkers(1, false, (here) => {
    const stored = storedTasks(here, store);
    const watched: RunTasks = async (kind, tasks, options) => {
      const results = await stored(kind, tasks, options);
      for (const result of results) if (!(result instanceof Uint8Array)) sizes.push(result);
      return results;
    };
    return Object.assign(watched, { passes: stored.passes! });
  });
  try {
    const level = createTrellisLevel({ states: 4 });
    return { ...await level.encode(MATRICES, { seed: 0, workers }), sizes };
  } finally {
    workers.close();
  }
}

/** A store as a run leaves it that is killed before a pass is kept, and its entries by their kinds. */
async function soundStore() {
  const store = createMemoryStore(), names: string[] = [];
  await encode({
    ...store,
    remove: () => Promise.resolve(),
    async put(name, bytes) {
      if (name.startsWith("pass-")) return;
      names.push(name);
      await store.put(name, bytes);
    },
  });
  return { store, entries: KINDS.map((kind) => names.filter((name) => name.startsWith(kind))) };
}

const { store: SOUND, entries: ENTRIES } = await soundStore();

/** A result of each kind, and one with indices of 32 bits; all of a kind are of the same matrix. */
async function soundResults(): Promise<Uint8Array[]> {
  const results = await Promise.all(ENTRIES.map(async ([first]) => (await SOUND.get(first!))!));
  const { result } = await unpackValue(results[0]!, () => Promise.resolve(undefined)) as {
    readonly result: CountedMatrix;
  };
  const indices = Int32Array.from(result.indices as Int8Array, (index) => index << 24);
  const wide = await packValue({ result: { ...result, indices } }, hexHash);
  return [...results, wide.bytes];
}

const RESULTS = await soundResults();

/** Results of a work folder that were changed. */
export const target: FuzzTarget = {
  name: "stored_task",
  description: "A result of a coding task in a store, behind its seal, which is gone on from.",

  mutate: (random) => mutatePacked(random, RESULTS[random.integer(RESULTS.length)]!),

  async read(input) {
    const refusals: unknown[] = [];
    for (const names of ENTRIES) {
      try {
        const changes = new Map(names.map((name) => [name, input]));
        const { encoded, sizes } = await encode(changedStore(SOUND, changes));
        for (const { rows, columns } of sizes) assert.deepEqual([rows, columns], SIZE);
        const [decoded] = decodeTrellis(encoded, [], MATRICES);
        assert.ok(decoded!.data.every(Number.isFinite));
      } catch (error) {
        refusals.push(error);
      }
    }
    for (const error of refusals) if ((error as Error).name !== "InputError") throw error;
    if (refusals.length === KINDS.length) throw refusals[0];
  },
};
