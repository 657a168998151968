import assert from "node:assert";
import { memorySource } from "../../data/memory_source.ts";
import type { TensorBytes } from "../../data/safetensors_encode.ts";
import {
  baseEvaluationParts,
  parseBaseEvaluation,
} from "../../eval/measure/base_evaluation_file.ts";
import type { Random } from "../../kan/numeric/random.ts";
import { mutateBytes, randomBytes } from "../mutate_bytes.ts";
import { awkwardValue } from "../mutate_json.ts";
import { mutateSealed } from "../mutate_sealed.ts";
import type { FuzzTarget } from "../target.ts";

const WANTED = { key: "key", fingerprint: "fingerprint", values: 24 };
const SOUND = baseEvaluationParts(WANTED.key, {
  fingerprint: WANTED.fingerprint,
  states: [16, 8].map((length) => Float32Array.from({ length }, (_, i) => Math.sin(i))),
});

/** One change behind the hashes. */
function change(random: Random, tensors: TensorBytes[], metadata: Record<string, string>): void {
  const at = random.integer(tensors.length), tensor = tensors[at];
  if (tensor === undefined) return;
  switch (random.integer(5)) {
    case 0:
      tensors.splice(at, 1);
      break;
    case 1: {
      const count = random.integer(40);
      tensors[at] = { ...tensor, shape: [count], bytes: randomBytes(random, 4 * count) };
      break;
    }
    case 2: {
      const bytes = mutateBytes(random, tensor.bytes);
      const count = Math.floor(bytes.length / 4);
      tensors[at] = { ...tensor, shape: [count], bytes: bytes.slice(0, 4 * count) };
      break;
    }
    case 3:
      tensors[at] = { ...tensor, name: `${2 + at + 2 * random.integer(3)}` };
      break;
    default:
      metadata[random.integer(2) === 0 ? "key" : "fingerprint"] = String(awkwardValue(random));
  }
}

/** What sweeps keep of an original, changed. */
export const target: FuzzTarget = {
  name: "base_evaluation",
  description: "The original's hidden states that a sweep keeps, mostly sealed again.",

  mutate: (random) => mutateSealed(random, SOUND, change),

  async read(input) {
    const base = await parseBaseEvaluation(memorySource(input, "cache"), WANTED);
    if (base === undefined) return;
    assert.equal(base.states.reduce((sum, { length }) => sum + length, 0), WANTED.values);
    assert.ok(base.states.every((state) => state.every(Number.isFinite)));
  },
};
