import { elementCount, type StateDict } from "../../data/tensor.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import { expectedTensors } from "../weights/expected_tensors.ts";
import recorded from "./architecture_models.json" with { type: "json" };

/** What transformers made of a small model. */
export interface ArchitectureCase {
  readonly name: string;
  readonly config: ModelConfig;
  /** Logits of all of the first `length` tokens, or of the classes. */
  readonly logits: readonly { readonly length: number; readonly values: Float32Array }[];
}

/** A model of every architecture, some in several ways; `record_architectures.py` makes them. */
export const architectureCases: readonly ArchitectureCase[] = recorded.cases.map(
  ({ name, config, logits }) => ({
    name,
    config,
    logits: logits.map(({ length, f32 }) => ({
      length,
      values: new Float32Array(Uint8Array.fromBase64(f32).buffer),
    })),
  }),
);

/** The text that they read. */
export const architectureTokens: Int32Array = Int32Array.from(recorded.ids);

/**
 * Weights of the names and shapes that a config asks for, which follow from the names by a formula:
 * scales about 1, matrices such that activations stay of order 1.
 */
export function formulaWeights(config: ModelConfig): StateDict {
  const shapes = expectedTensors(describeModel(config, []));
  return new Map(Array.from(shapes, ([name, shape]) => {
    const [rows = 1, columns = 1] = shape;
    const middle = shape.length === 1 && name.endsWith("weight") ? 1 : 0;
    const spread = shape.length === 1 ? 0.3 : Math.sqrt(6 / (rows + columns));
    let state = 2166136261;
    for (const byte of new TextEncoder().encode(name)) {
      state = Math.imul(state ^ byte, 16777619) >>> 0;
    }
    const data = Float32Array.from({ length: elementCount(shape) }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return middle + spread * ((state >>> 8) / 2 ** 23 - 1);
    });
    return [name, { dtype: "F32", shape, data }];
  }));
}
