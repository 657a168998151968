import assert from "node:assert";
import { InputError } from "../../data/input_error.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { createMemoryStore } from "../../store/memory_store.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import { isNativeInstalled } from "../native/runtime.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { smallLlama } from "../testdata/small_llama.ts";
import { calibrate, calibratePacked } from "./calibrate.ts";
import { allocateMoments } from "./calibration_sums.ts";
import type { PackedCalibration } from "./packed_calibration.ts";
import { TextWatch } from "./text_watch.ts";

const config: ModelConfig = { ...smallLlama, max_position_embeddings: 512 };
const weights = randomStateDict(config, 1);
const random = createRandom(5);
const options = {
  config,
  weights,
  tokens: Int32Array.from({ length: 20_000 }, () => random.integer(20)),
  contextLength: 128,
  seed: 3,
  threads: 1,
};

function plain({ moments, ...rest }: PackedCalibration) {
  return { ...rest, moments: moments.map(({ size, triangle }) => ({ size, triangle })) };
}

Deno.test("a text is looked at where its length alone says, four times while it doubles", () => {
  const model = describeModel(config, []);
  const places = (contextLength: number) => {
    const watch = new TextWatch(model, allocateMoments(model, true), contextLength, 0.05);
    const found = [watch.next(0)];
    while (found.length < 14) found.push(watch.next(found.at(-1)!));
    return found.map((tokens) => tokens / found[0]!);
  };
  assert.deepEqual(places(512), [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24]);
  assert.deepEqual(places(512), places(1500));
});

Deno.test("a share of the divergence that cannot be found is refused", async () => {
  for (const loss of [0, 0.5, NaN, -1]) {
    await assert.rejects(
      calibrate({ ...options, loss }),
      (error) => error instanceof InputError && /from 0.001 to 0.2$/.test(error.message),
    );
  }
});

for (const backend of ["wasm", "native"] as const) {
  Deno.test({
    name: `calibration stops by itself, as if the text ended there, on ${backend}`,
    ignore: backend === "native" && !isNativeInstalled(),
    async fn() {
      const shares: number[] = [];
      const onProgress = (share: number) => shares.push(share);
      const stopping = { ...options, backend, loss: 0.01 };
      const found = plain(await calibratePacked({ ...stopping, onProgress }));
      assert.ok(found.tokens >= 4096 && found.tokens < 16_000, `${found.tokens}`);
      assert.ok(found.loss! > 0 && found.loss! <= 0.01);
      assert.equal(shares.at(-1), 1);
      assert.deepEqual(shares, shares.toSorted((a, b) => a - b));
      const { loss: _, ...rest } = found;
      const tokens = options.tokens.subarray(0, found.tokens);
      assert.deepEqual(rest, plain(await calibratePacked({ ...options, backend, tokens })));
      // The number of threads changes nothing, and neither do passes.
      assert.deepEqual(plain(await calibratePacked({ ...stopping, threads: 2 })), found);
      const keep = (values: Float32Array) => () => values;
      const passed = await calibratePacked(stopping, { passes: 2, keep });
      assert.deepEqual([passed.tokens, passed.loss], [found.tokens, found.loss]);
      // Less text than it takes is read to its end, and what is still to be won is told.
      const few = await calibrate({ ...stopping, tokens: options.tokens.subarray(0, 3000) });
      assert.equal(few.tokens, 2944);
      assert.ok(few.loss! > found.loss!);
      assert.equal(
        (await calibrate({ ...stopping, tokens: tokens.subarray(0, 500) })).loss,
        undefined,
      );
    },
  });

  Deno.test({
    name: `a calibration that stops by itself goes on where it was killed, on ${backend}`,
    ignore: backend === "native" && !isNativeInstalled(),
    async fn() {
      const stopping = { ...options, backend, loss: 0.01 };
      const expected = plain(await calibratePacked(stopping));
      const store = createMemoryStore();
      const killing = {
        ...store,
        async put(name: string, bytes: Uint8Array) {
          await store.put(name, bytes);
          if (name.startsWith("calibration-")) throw new Error("killed");
        },
      };
      const work = { store: killing, key: "k", interval: 0 };
      for (let kill = 0; kill < 3; kill++) {
        await assert.rejects(calibratePacked(stopping, undefined, work), /killed/);
      }
      const living = { ...work, store };
      assert.deepEqual(plain(await calibratePacked(stopping, undefined, living)), expected);
      // The whole is found, where it stopped.
      const shares: number[] = [];
      const onFound = (share: number) => shares.push(share);
      const found = await calibratePacked(stopping, undefined, { ...living, onFound });
      assert.deepEqual(plain(found), expected);
      assert.deepEqual(shares, [expected.tokens / 19_968]);
    },
  });
}
