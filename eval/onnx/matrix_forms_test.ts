import assert from "node:assert";
import { join } from "node:path";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { toFloat32 } from "../../data/to_float32.ts";
import { encodeOnnxFiles } from "../../data/onnx/onnx_model.ts";
import { fromFloat32, InputError, type StateDict } from "../../data/mod.ts";
import type { CodedWeights } from "../../hierarchy/coded_weights.ts";
import type { CodedMatrix } from "../../hierarchy/matrix/coded_matrix.ts";
import { needsEngines } from "../../interop/needs_engines.ts";
import { type EngineName, startEngine } from "../../interop/start_engine.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import {
  architectureCases,
  architectureTokens,
  formulaWeights,
} from "../testdata/architecture_models.ts";
import { readByteMatrices } from "./byte_matrices.ts";
import { languageModelGraph } from "./language_model_graph.ts";
import type { MatrixForm } from "./matrix_form.ts";

/** The matrices of a model as integers and factors, some of them beyond a byte, and what they are. */
function quantized(weights: StateDict): { coded: CodedWeights; decoded: StateDict } {
  const matrices = new Map<string, CodedMatrix>();
  const decoded = new Map(weights);
  for (const [name, { dtype, shape, data }] of weights) {
    if (shape.length < 2) continue;
    const [rows = 1, columns = 1] = shape;
    const factors = {
      rows: Float64Array.from({ length: rows }, (_, i) => 2 ** (-4 - i % 5 / 8)),
      columns: Float64Array.from({ length: columns }, (_, j) => 2 ** (-2 + j % 7 / 8)),
    };
    const factor = (at: number) =>
      factors.rows[Math.floor(at / columns)]! * factors.columns[at % columns]!;
    const integers = data.map((value, at) => {
      const row = Math.floor(at / columns), column = at % columns;
      // A column and two rows that a byte does not hold.
      const large = column === 1 || row === 3 && column === 4 || row === rows - 1 && column === 2;
      return Math.round(value / factor(at)) + (large ? 200 : 0);
    });
    const integer = { name, rows, columns, data: integers };
    matrices.set(name, { integers: integer, factors });
    const values = integers.map((value, at) => value * factor(at));
    decoded.set(name, { dtype, shape, data: values });
  }
  return {
    decoded,
    coded: {
      names: new Set(matrices.keys()),
      read: (name) => Promise.resolve(matrices.get(name)!),
    },
  };
}

/** Logits of a text by a model in some form. */
async function logits(
  engine: EngineName,
  config: ModelConfig,
  weights: StateDict,
  matrices: MatrixForm,
  largest?: number,
): Promise<Float32Array> {
  using folder = new TemporaryFolder();
  const graph = languageModelGraph(config, weights, { cache: false, matrices });
  for (const [name, parts] of encodeOnnxFiles(graph, "model.onnx", largest)) {
    await Deno.writeFile(join(folder.path, name), ReadableStream.from(parts));
  }
  const started = await startEngine(engine, join(folder.path, "model.onnx"));
  const tokens = [...architectureTokens.subarray(0, 12)];
  const { values } = await started.run({ tokens, labels: tokens, batch: 2, wants: "logits" });
  await started.close();
  return values;
}

function assertClose(found: Float32Array, expected: Float32Array, share: number): void {
  assert.equal(found.length, expected.length);
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const worst = found.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i]!)), 0);
  assert.ok(worst <= share * largest, `${worst} of ${largest}`);
}

/** Rows of 24 values, which are no whole blocks of `MatMulNBits`. */
const oddConfig: ModelConfig = {
  model_type: "gpt2",
  n_embd: 24,
  n_head: 2,
  n_layer: 1,
  n_positions: 16,
  vocab_size: 24,
};
const configOf = (name: string) =>
  architectureCases.find((each) => each.name === name)?.config ?? oddConfig;

for (
  const name of ["distilbert, classes", "falcon, grouped", "gemma2", "gpt2", "llama", "opt", "odd"]
) {
  Deno.test({
    ...needsEngines,
    name: `${name}: matrices of bytes compute what the decoded ones do`,
    async fn() {
      const config = configOf(name);
      const { coded, decoded } = quantized(formulaWeights(config));
      const matrices = await readByteMatrices(describeModel(config, [...decoded.keys()]), coded);
      const wide = [...matrices.values()].filter(({ wideRows, wideColumns }) =>
        wideRows && wideColumns
      );
      assert.ok(matrices.size > 4 && wide.length > 1);
      // Their values are not looked at.
      const others = new Map(Array.from(decoded, ([name, tensor]) => [
        name,
        matrices.has(name) ? { ...tensor, data: new Float32Array() } : tensor,
      ]));
      const expected = await logits("onnxruntime-node", config, decoded, { kind: "float32" });
      for (const product of ["DequantizeLinear", "MatMulNBits"] as const) {
        const form = { kind: "bytes", matrices, product } as const;
        assertClose(await logits("onnxruntime-node", config, others, form), expected, 2e-5);
      }
    },
  });
}

Deno.test({
  ...needsEngines,
  name: "onnxruntime-web computes the same from bytes, with its data beside the model",
  async fn() {
    const config = configOf("llama");
    const { coded, decoded } = quantized(formulaWeights(config));
    const matrices = await readByteMatrices(describeModel(config, [...decoded.keys()]), coded);
    const expected = await logits("onnxruntime-node", config, decoded, { kind: "float32" }, 6000);
    for (const product of ["DequantizeLinear", "MatMulNBits"] as const) {
      const form = { kind: "bytes", matrices, product } as const;
      assertClose(await logits("onnxruntime-web", config, decoded, form, 3000), expected, 2e-5);
    }
  },
});

for (const name of ["distilbert", "gpt2", "gemma3_text"]) {
  Deno.test({
    ...needsEngines,
    name: `${name}: f16 computes what weights that are rounded do`,
    async fn() {
      const config = configOf(name);
      const weights = formulaWeights(config);
      const rounded = new Map(Array.from(weights, ([name, tensor]) => [
        name,
        tensor.shape.length < 2
          ? tensor
          : { ...tensor, data: toFloat32("F16", fromFloat32("F16", tensor.data)) },
      ]));
      const expected = await logits("onnxruntime-node", config, rounded, { kind: "float32" });
      const form = { kind: "float16" } as const;
      // Inputs and outputs of products are rounded too.
      assertClose(await logits("onnxruntime-node", config, weights, form), expected, 4e-3);
      assertClose(await logits("onnxruntime-web", config, weights, form), expected, 4e-3);
    },
  });
}

Deno.test("values beyond f16 are refused by the name of their tensor", () => {
  const config = configOf("llama");
  const weights = formulaWeights(config);
  const name = "model.layers.0.mlp.down_proj.weight";
  weights.get(name)!.data[5] = 1e5;
  assert.throws(
    () => languageModelGraph(config, weights, { matrices: { kind: "float16" } }),
    (error) => error instanceof InputError && error.message.includes(`"${name}"`),
  );
});
