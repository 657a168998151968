import assert from "node:assert";
import { join } from "node:path";
import { InputError } from "../../data/input_error.ts";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import type { TuneState } from "./tune.ts";
import { readTuneState, writeTuneState } from "./tune_state_file.ts";

const state: TuneState = {
  parameters: Float64Array.of(1, 2.5, -3),
  adam: { step: 4, first: Float64Array.of(0, 1, 2), second: Float64Array.of(3, 4, 5) },
  best: Float64Array.of(7, 8, 9),
  points: [{ step: 0, loss: 0.5 }, { step: 4, loss: 0.25 }],
};

async function withPath(work: (path: string) => Promise<void>): Promise<void> {
  using folder = new TemporaryFolder();
  await work(join(folder.path, "tuning.safetensors"));
}

Deno.test("an unfinished tuning comes back as it was", () =>
  withPath(async (path) => {
    assert.equal(await readTuneState(path, "key"), undefined);
    await writeTuneState(path, "key", state);
    assert.deepEqual(await readTuneState(path, "key"), state);
  }));

Deno.test("what is damaged, foreign or contradicts itself is refused by the file's name", () =>
  withPath(async (path) => {
    const refused = async (expected: RegExp, key = "key") =>
      await assert.rejects(readTuneState(path, key), (error) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, expected);
        assert.ok(error.message.startsWith(path));
        return true;
      });
    await writeTuneState(path, "key", state);
    await refused(/is a tuning of another model, text or version; remove it/, "other");
    const bytes = await Deno.readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await Deno.writeFile(path, bytes);
    await refused(/./);
    await writeTuneState(path, "key", { ...state, best: Float64Array.of(1) });
    await refused(/its values cannot be right/);
    await writeTuneState(path, "key", { ...state, parameters: Float64Array.of(1, NaN, 2) });
    await refused(/its values cannot be right/);
    await writeTuneState(path, "key", { ...state, points: [{ step: 9, loss: 1 }] });
    await refused(/does not say how far tuning was/);
  }));
