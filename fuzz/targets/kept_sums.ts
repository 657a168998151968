import assert from "node:assert";
import { describeModel } from "../../eval/architectures/registry.ts";
import { allocateMoments } from "../../eval/calibration/calibration_sums.ts";
import { SumsKeeper } from "../../eval/calibration/kept_sums.ts";
import { TextWatch } from "../../eval/calibration/text_watch.ts";
import { createMemoryStore } from "../../store/memory_store.ts";
import type { Store } from "../../store/store.ts";
import { mutateBytes } from "../mutate_bytes.ts";
import { type Json, mutateJson } from "../mutate_json.ts";
import type { FuzzTarget } from "../target.ts";

const MODEL = describeModel({
  model_type: "gpt2",
  n_embd: 8,
  n_head: 2,
  n_layer: 1,
  n_positions: 8,
  vocab_size: 11,
}, []);
const TOKENS = 8192;
const SETTINGS = "settings";

/** A store, and the entry with the sums of a calibration under way, which is watched for its loss. */
async function soundStore() {
  const inner = createMemoryStore();
  let entry = "";
  const store: Store = {
    ...inner,
    async put(name, bytes) {
      if (name.startsWith("calibration-")) entry = name;
      await inner.put(name, bytes);
    },
  };
  const moments = allocateMoments(MODEL, true);
  const triangles = [...moments.triangles, ...moments.blockTriangles];
  for (const [at, triangle] of triangles.entries()) {
    for (let i = 0; i < triangle.length; i++) triangle[i] = at + Math.sin(i * i);
  }
  const watched = [moments.triangles.at(-1)!, moments.blockTriangles.at(-1)!];
  const marks = [1024, 2048].map((tokens) => ({
    tokens,
    triangles: watched.map((triangle) => triangle.map((value) => value * tokens / 4096)),
  }));
  const keeper = await SumsKeeper.open({ store, key: "key" }, SETTINGS, moments);
  await keeper.save({ tokens: 4096, logitSum: new Float64Array(11).fill(1), marks });
  return { store: inner, entry };
}

const { store: SOUND, entry: ENTRY } = await soundStore();
const DESCRIBED: Json = JSON.parse(new TextDecoder().decode(await SOUND.get(ENTRY)));

export const target: FuzzTarget = {
  name: "kept_sums",
  description: "How far a calibration of a work folder is, beside its sound sums.",

  mutate(random) {
    const text = JSON.stringify(mutateJson(random, DESCRIBED));
    const bytes = new TextEncoder().encode(text);
    return random.integer(5) === 0 ? mutateBytes(random, bytes) : bytes;
  },

  async read(input) {
    const store = {
      ...SOUND,
      get: (name: string) => name === ENTRY ? Promise.resolve(input) : SOUND.get(name),
    };
    const moments = allocateMoments(MODEL, true);
    const keeper = await SumsKeeper.open({ store, key: "key" }, SETTINGS, moments);
    const found = await keeper.restore(TOKENS);
    if (found === undefined) return;
    assert.ok(found.tokens >= 0 && found.tokens <= TOKENS);
    const watch = new TextWatch(MODEL, moments, 8, 0.05);
    await watch.restore(found.marks, found.tokens, TOKENS);
    await watch.look(TOKENS, TOKENS);
    assert.ok(watch.loss === undefined || watch.loss >= 0, `a loss of ${watch.loss}`);
  },
};
