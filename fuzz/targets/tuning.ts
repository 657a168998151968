import assert from "node:assert";
import { bytesPerElement } from "../../data/dtype.ts";
import { memorySource } from "../../data/memory_source.ts";
import type { TensorBytes } from "../../data/safetensors_encode.ts";
import { parseTuneState, tuneStateParts } from "../../eval/training/tune_state_file.ts";
import type { Random } from "../../kan/numeric/random.ts";
import { mutateBytes, randomBytes } from "../mutate_bytes.ts";
import { mutateJson } from "../mutate_json.ts";
import { mutateSealed } from "../mutate_sealed.ts";
import type { FuzzTarget } from "../target.ts";

const KEY = "key";
const VALUES = Float64Array.from({ length: 12 }, (_, i) => 1 + i / 10);
const SOUND = tuneStateParts(KEY, {
  parameters: VALUES,
  best: VALUES,
  adam: { step: 8, first: VALUES, second: VALUES },
  points: [{ step: 0, loss: 0.5 }, { step: 4, loss: 0.4 }, { step: 8, loss: 0.3 }],
});

/** One change behind the hashes. */
function change(random: Random, tensors: TensorBytes[], metadata: Record<string, string>): void {
  const at = random.integer(tensors.length), tensor = tensors[at];
  if (tensor === undefined) return;
  const size = bytesPerElement(tensor.dtype);
  switch (random.integer(5)) {
    case 0:
      tensors.splice(at, 1);
      break;
    case 1: {
      const count = random.integer(40);
      tensors[at] = { ...tensor, shape: [count], bytes: randomBytes(random, size * count) };
      break;
    }
    case 2: {
      const bytes = mutateBytes(random, tensor.bytes);
      const count = Math.floor(bytes.length / size);
      tensors[at] = { ...tensor, shape: [count], bytes: bytes.slice(0, size * count) };
      break;
    }
    default:
      metadata.tuning = JSON.stringify(mutateJson(random, JSON.parse(metadata.tuning ?? "null")));
  }
}

/** Unfinished tunings that were changed. */
export const target: FuzzTarget = {
  name: "tuning",
  description: "An unfinished tuning of the cache, mostly sealed again.",

  mutate: (random) => mutateSealed(random, SOUND, change),

  async read(input) {
    const { parameters, best, adam, points } = await parseTuneState(
      memorySource(input, "cache"),
      KEY,
    );
    for (const values of [parameters, best, adam.first, adam.second]) {
      assert.equal(values.length, parameters.length);
      assert.ok(values.every(Number.isFinite));
    }
    assert.ok(adam.second.every((value) => value >= 0));
    assert.ok(points.every(({ step }) => step <= adam.step));
  },
};
