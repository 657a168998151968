import { elementCount, type StateDict } from "../../data/tensor.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import { expectedTensors } from "../weights/expected_tensors.ts";

/**
 * Random weights of the names and shapes that a config asks for: scales of norms near 1, matrices
 * such that activations stay of order 1, as in trained models.
 */
export function randomStateDict(config: ModelConfig, seed: number): StateDict {
  const random = createRandom(seed);
  const shapes = expectedTensors(describeModel(config, []));
  return new Map(Array.from(shapes, ([name, shape]) => {
    const centre = shape.length === 1 && name.endsWith("weight") ? 1 : 0;
    const [rows = 1, columns = rows] = shape;
    const spread = shape.length === 1 ? 0.1 : Math.sqrt(2 / (rows + columns));
    const data = Float32Array.from(
      { length: elementCount(shape) },
      () => centre + spread * random.normal(),
    );
    return [name, { dtype: "F32", shape, data }];
  }));
}
