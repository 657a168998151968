import assert from "node:assert";
import { createRandom, type Random } from "../../kan/numeric/random.ts";
import { codingTasks } from "../../hierarchy/workers/coding_tasks.ts";
import { getResult, putResult } from "../../hierarchy/workers/packed_tasks.ts";
import { createMemoryStore } from "../../store/memory_store.ts";
import { mutateBytes } from "../mutate_bytes.ts";
import { type Json, mutateJson } from "../mutate_json.ts";
import type { FuzzTarget } from "../target.ts";

const KEY = "0".repeat(64);
const KINDS = ["quantize", "refine", "encode"] as const;

/** The entries of sound results, one of each kind. */
async function soundEntries(): Promise<Uint8Array[]> {
  const random = createRandom(1);
  const data = Float32Array.from({ length: 60 }, () => 4 * random.normal());
  const result = codingTasks.quantize({
    states: 4,
    matrix: { name: "w", rows: 6, columns: 10, data },
  });
  const store = createMemoryStore();
  await putResult(store, "quantize", KEY, result);
  await putResult(store, "refine", KEY, result);
  await putResult(store, "encode", KEY, Uint8Array.from({ length: 50 }, (_, i) => i));
  return await Promise.all(KINDS.map(async (kind) => (await store.get(`${kind}-${KEY}`))!));
}

const SOUND = await soundEntries();

/** One change of the description; what it says of arrays need not be so. */
function changeDescription(random: Random, entry: Uint8Array): Uint8Array {
  const length = new DataView(entry.buffer, entry.byteOffset).getUint32(0, true);
  const described: Json = JSON.parse(new TextDecoder().decode(entry.subarray(4, 4 + length)));
  const text = new TextEncoder().encode(JSON.stringify(mutateJson(random, described)));
  const head = 8 * Math.ceil((4 + text.length) / 8);
  const arrays = entry.subarray(8 * Math.ceil((4 + length) / 8));
  const changed = new Uint8Array(head + arrays.length);
  new DataView(changed.buffer).setUint32(0, text.length, true);
  changed.set(text, 4);
  changed.set(arrays, head);
  return changed;
}

/** Results of a work folder that were changed. */
export const target: FuzzTarget = {
  name: "stored_task",
  description: "A result of a coding task in a store, behind its seal.",

  mutate(random) {
    const entry = SOUND[random.integer(SOUND.length)]!;
    const changed = random.integer(4) === 0 ? entry : changeDescription(random, entry);
    return changed === entry || random.integer(4) === 0 ? mutateBytes(random, changed) : changed;
  },

  async read(input) {
    const refusals: unknown[] = [];
    for (const kind of KINDS) {
      const store = createMemoryStore();
      await store.put(`${kind}-${KEY}`, input);
      try {
        const found = await getResult(store, kind, KEY);
        if (found instanceof Uint8Array || found === undefined) continue;
        assert.equal(found.indices.length, found.rows * found.columns);
        assert.equal(found.scales.rows.length, found.rows);
      } catch (error) {
        refusals.push(error);
      }
    }
    for (const error of refusals) if ((error as Error).name !== "InputError") throw error;
    if (refusals.length === KINDS.length) throw refusals[0];
  },
};
