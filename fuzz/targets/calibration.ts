import assert from "node:assert";
import { bytesPerElement } from "../../data/dtype.ts";
import { memorySource } from "../../data/memory_source.ts";
import type { TensorBytes } from "../../data/safetensors_encode.ts";
import { elementCount, type StateDict } from "../../data/tensor.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import { calibrationParts, parseCalibration } from "../../eval/calibration/calibration_file.ts";
import { unpackCalibration } from "../../eval/calibration/packed_calibration.ts";
import { tensorMetrics } from "../../eval/calibration/tensor_metrics.ts";
import { expectedTensors, modelLinears } from "../../eval/weights/expected_tensors.ts";
import { factorMetrics } from "../../hierarchy/metric/factor_metrics.ts";
import { errorMetric } from "../../hierarchy/metric/tensor_metric.ts";
import { createRandom, type Random } from "../../kan/numeric/random.ts";
import { mutateBytes, randomBytes } from "../mutate_bytes.ts";
import { mutateJson } from "../mutate_json.ts";
import { mutateSealed } from "../mutate_sealed.ts";
import type { FuzzTarget } from "../target.ts";

const KEY = "key";
const DESCRIPTION = describeModel({
  model_type: "gpt2",
  n_embd: 8,
  n_head: 2,
  n_layer: 1,
  n_positions: 8,
  vocab_size: 11,
}, []);

/** A calibration of a small model, as it is kept. */
function soundParts(): { tensors: TensorBytes[]; metadata: Record<string, string> } {
  const random = createRandom(1);
  const square = () => random.normal() ** 2;
  const sizes = new Set<number>();
  const linears = modelLinears(DESCRIPTION).map(({ weight, inputs, outputs, layout }) => {
    sizes.add(inputs).add(outputs);
    const isHead = outputs === DESCRIPTION.vocabularySize;
    return {
      weight,
      moment: [...sizes].indexOf(inputs),
      inputAxis: layout === "inputsByOutputs" ? 0 as const : 1 as const,
      fisher: Float64Array.from({ length: outputs }, square),
      ...(!isHead && { outputMoments: [{ start: 0, moment: [...sizes].indexOf(outputs) }] }),
    };
  });
  const moments = [...sizes].map((size) => {
    const triangle = new Float32Array(size * (size + 1) / 2);
    for (let i = 0, at = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) triangle[at++] = i === j ? 1 + square() : 0.1 * random.normal();
    }
    return { size, triangle };
  });
  const tokenFrequencies = new Float64Array(DESCRIPTION.vocabularySize).fill(1 / 11);
  const embeddingMoment = [...sizes].indexOf(DESCRIPTION.hiddenSize);
  const calibration = {
    tokens: 64,
    contextLength: 8,
    loss: 0.02,
    moments,
    linears,
    tokenFrequencies,
  };
  const tokens = Int32Array.from({ length: 64 }, () => random.integer(11));
  return calibrationParts(KEY, { calibration: { ...calibration, embeddingMoment }, tokens });
}

const SOUND = soundParts();
const WEIGHTS: StateDict = new Map(
  [...expectedTensors(DESCRIPTION)].map(([name, shape]) => {
    const data = Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(i * i));
    return [name, { dtype: "F32" as const, shape, data }];
  }),
);

/** One change behind the hashes. */
function change(random: Random, tensors: TensorBytes[], metadata: Record<string, string>): void {
  const at = random.integer(tensors.length), tensor = tensors[at];
  if (tensor === undefined) return;
  const size = bytesPerElement(tensor.dtype);
  switch (random.integer(8)) {
    case 0:
      tensors.splice(at, 1);
      break;
    case 1:
      tensors[at] = { ...tensors[random.integer(tensors.length)]!, name: tensor.name };
      break;
    case 2: {
      const count = random.integer(40);
      tensors[at] = { ...tensor, shape: [count], bytes: randomBytes(random, size * count) };
      break;
    }
    case 3: {
      // Whatever numbers the bits stand for: infinite, NaN, tiny.
      const bytes = mutateBytes(random, tensor.bytes);
      const count = Math.floor(bytes.length / size);
      tensors[at] = { ...tensor, shape: [count], bytes: bytes.slice(0, size * count) };
      break;
    }
    default:
      metadata.calibration = JSON.stringify(
        mutateJson(random, JSON.parse(metadata.calibration ?? "null")),
      );
  }
}

export const target: FuzzTarget = {
  name: "calibration",
  description: "A calibration of the cache, mostly sealed again, read and factored.",

  mutate: (random) => mutateSealed(random, SOUND, change),

  async read(input) {
    const { calibration } = await parseCalibration(memorySource(input, "cache"), KEY);
    const { loss = 0 } = calibration;
    assert.ok(loss >= 0 && Number.isFinite(loss), `a loss of ${loss}`);
    const metrics = tensorMetrics(DESCRIPTION, unpackCalibration(calibration));
    for (const [name, metric] of await factorMetrics(metrics, { weights: WEIGHTS })) {
      const { shape } = WEIGHTS.get(name) ?? { shape: [1, 1] };
      const rows = shape[metric.inputAxis]!, columns = shape[1 - metric.inputAxis]!;
      const { rowWeights, columnWeights } = errorMetric(name, metric, rows, columns);
      assert.ok(rowWeights.every(Number.isFinite) && columnWeights.every(Number.isFinite), name);
    }
  },
};
