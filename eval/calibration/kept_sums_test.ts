import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { createMemoryStore } from "../../store/memory_store.ts";
import type { Store } from "../../store/store.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { isNativeInstalled } from "../native/runtime.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { describeModel } from "../architectures/registry.ts";
import { allocateMoments } from "./calibration_sums.ts";
import { SumsKeeper } from "./kept_sums.ts";
import { calibratePacked } from "./calibrate.ts";
import type { PackedCalibration } from "./packed_calibration.ts";
import { smallLlama } from "../testdata/small_llama.ts";

const config: ModelConfig = { ...smallLlama, max_position_embeddings: 1024 };
const random = createRandom(5);
const options = {
  config,
  weights: randomStateDict(config, 1),
  tokens: Int32Array.from({ length: 2500 }, () => random.integer(20)),
  contextLength: 512,
  seed: 3,
  threads: 1,
};

/** A store that counts how often sums are kept and then stops the run. */
function stoppingStore(saves: number): { store: Store; names: Set<string> } {
  const store = createMemoryStore(), names = new Set<string>();
  return {
    names,
    store: {
      ...store,
      async put(name, bytes) {
        await store.put(name, bytes);
        names.add(name);
        if (name.startsWith("calibration-") && --saves === 0) throw new Error("killed");
      },
      async remove(name) {
        await store.remove(name);
        names.delete(name);
      },
    },
  };
}

/** Everything, with the values of moments, to compare bit by bit. */
function plain({ moments, ...rest }: PackedCalibration) {
  return { ...rest, moments: moments.map(({ size, triangle }) => ({ size, triangle })) };
}

for (const backend of ["wasm", "native"] as const) {
  Deno.test({
    name: `a calibration that was stopped goes on and gives the same bits, on ${backend}`,
    ignore: backend === "native" && !isNativeInstalled(),
    async fn() {
      for (const passes of [undefined, 2]) {
        const keep = (values: Float32Array) => () => values;
        const saving = passes === undefined ? undefined : { passes, keep };
        const whole = plain(await calibratePacked({ ...options, backend }, saving));
        for (const fisher of [true, false]) {
          if (!fisher && passes !== undefined) continue;
          const given = { ...options, backend, fisher };
          const expected = fisher ? whole : plain(await calibratePacked(given));
          const { store, names } = stoppingStore(1);
          const shares: number[] = [];
          const work = {
            ...{ store, key: "k", interval: 0 },
            onFound: (share: number) => shares.push(share),
          };
          await assert.rejects(calibratePacked(given, saving, work), /killed/);
          assert.equal(shares.length, 0);
          const firstShares: number[] = [];
          const onProgress = (share: number) => firstShares.push(share);
          assert.deepEqual(
            plain(await calibratePacked({ ...given, onProgress }, saving, work)),
            expected,
          );
          assert.ok(shares[0]! > 0 && shares[0]! < 1, `${shares}`);
          assert.ok(firstShares[0]! >= shares[0]!);
          // Sums of before are gone; the whole is found the next time.
          shares.length = 0;
          assert.deepEqual(plain(await calibratePacked(given, saving, work)), expected);
          assert.equal(shares.at(-1), 1);
          if (passes !== undefined) continue;
          // What is damaged is made again.
          const damaged = [...names].find((name) => name.startsWith("sums-"))!;
          await store.remove(damaged);
          assert.deepEqual(plain(await calibratePacked(given, saving, work)), expected);
        }
      }
    },
  });
}

Deno.test("sums that claim more than is there are not taken, and nothing is made for them", async () => {
  const model = describeModel(config, options.weights.keys());
  const moments = () => allocateMoments(model, true);
  const inner = createMemoryStore();
  let entry = "";
  const store: Store = {
    ...inner,
    async put(name, bytes) {
      if (name.startsWith("calibration-")) entry = name;
      await inner.put(name, bytes);
    },
  };
  const work = { store, key: "key" };
  const saved = { tokens: 64, logitSum: new Float64Array(11).fill(1), marks: [] };
  await (await SumsKeeper.open(work, "settings", moments())).save(saved);
  const restore = async () => (await SumsKeeper.open(work, "settings", moments())).restore(128);
  assert.deepEqual(await restore(), saved);
  const sound = JSON.parse(new TextDecoder().decode(await store.get(entry)));
  for (
    const forged of [
      { logits: 2 ** 50 },
      { logits: 12 },
      { marks: [1, 2] },
      { marks: Array.from({ length: 1e5 }, () => 1), arrays: Array(2e5).fill(sound.arrays[0]) },
      { arrays: sound.arrays.map(() => "../1") },
      { arrays: sound.arrays.slice(1) },
      { tokens: 129 },
    ]
  ) {
    await inner.put(entry, new TextEncoder().encode(JSON.stringify({ ...sound, ...forged })));
    assert.equal(await restore(), undefined);
  }
});
