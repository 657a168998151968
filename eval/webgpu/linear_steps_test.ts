import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { needsWebGpu } from "../../kan/testdata/needs_webgpu.ts";
import { packBytes, readBytes } from "../weights/byte_matrix.ts";
import { byteOperand, sliceRows } from "./byte_operand.ts";
import { embedStep } from "./embed_step.ts";
import { linearSteps } from "./linear_steps.ts";
import { openDevice } from "./open_device.ts";
import { runSteps } from "./program.ts";

const random = createRandom(4);

/** Whole numbers up to `largest`, one in 100 of them up to a thousand times as large, with factors. */
function packed(rows: number, columns: number, largest: number) {
  const number = () => (random.uniform() < 0.01 ? 1000 : 1) * random.integer(2 * largest + 1);
  const data = Float32Array.from({ length: rows * columns }, () => Math.trunc(number() - largest));
  const factors = (count: number) =>
    Float64Array.from({ length: count }, () => 2 ** random.normal());
  const integers = { name: "w", rows, columns, data };
  return packBytes(
    { integers, factors: { rows: factors(rows), columns: factors(columns) } },
    false,
  )!;
}

/** Sends arrays into buffers of their own. */
function sender(device: Awaited<ReturnType<typeof openDevice>>) {
  return (values: Float32Array | Uint32Array) => {
    const buffer = device.allocate(values.byteLength);
    device.write(buffer, values);
    return buffer;
  };
}

for (const [form, largest] of [["i8", 20], ["i16", 300]] as const) {
  Deno.test({
    name:
      `products with whole numbers are those of their values, with what bytes do not hold: ${form}`,
    ...needsWebGpu,
    async fn() {
      const device = await openDevice();
      const send = sender(device);
      const inputs = 76;
      // Some beside each other, of which one is a part of a taller matrix.
      const matrices = [
        packed(40, inputs, largest),
        packed(12, inputs, 5),
        sliceRows(packed(64, inputs, largest), 24, 60),
      ];
      const outputs = 88;
      const operand = byteOperand(matrices);
      assert.equal(operand.type, form);
      const { sparse } = operand;
      assert.ok(sparse !== undefined && sparse.entries.length > 20);
      const w = new Float32Array(outputs * inputs);
      let at = 0;
      for (const matrix of matrices) {
        const size = matrix.rows * inputs;
        readBytes(matrix, 0, w.subarray(at, at + size));
        at += size;
      }
      const linear = {
        inputs,
        outputs,
        matrix: {
          buffer: send(operand.values),
          stride: inputs,
          layout: "alongInner" as const,
          type: operand.type,
          scales: send(operand.scales),
          sparse: { starts: send(sparse.starts), entries: send(sparse.entries) },
        },
        bias: send(Float32Array.from({ length: outputs }, (_, i) => i)),
      };
      for (const rows of [1, 8, 9, 70]) {
        const x = Float32Array.from({ length: rows * inputs }, () => random.normal());
        const [stride, start] = [outputs + 12, 4];
        const output = send(new Float32Array(rows * stride).fill(0.5));
        runSteps(
          device,
          linearSteps(device, { linear, rows, input: send(x), output, stride, start, adds: true }),
        );
        const found = new Float32Array(await device.read(output, 4 * rows * stride));
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < stride; column++) {
            let [expected, size] = [0.5, 0.5];
            const own = column - start;
            if (own >= 0 && own < outputs) {
              expected += own;
              for (let i = 0; i < inputs; i++) {
                const term = x[row * inputs + i]! * w[own * inputs + i]!;
                expected += term;
                size += Math.abs(term);
              }
            }
            const apart = Math.abs(found[row * stride + column]! - expected);
            assert.ok(
              apart < 1e-5 * size + 1e-4,
              `${rows}: ${row}, ${column}: ${apart} of ${size}`,
            );
          }
        }
      }
      device.close();
    },
  });
}

Deno.test({
  name: "rows of tokens are looked up on WebGPU, with what bytes do not hold",
  ...needsWebGpu,
  async fn() {
    const device = await openDevice();
    const send = sender(device);
    const hiddenSize = 76;
    for (const largest of [20, 300]) {
      const embedding = packed(40, hiddenSize, largest);
      const { type, values, scales, sparse } = byteOperand([embedding]);
      const ids = Uint32Array.of(3, 39, 0, 3);
      const output = send(new Float32Array(ids.length * hiddenSize).fill(0.5));
      runSteps(device, [embedStep(device, {
        matrix: {
          buffer: send(values),
          stride: hiddenSize,
          layout: "alongInner",
          type,
          scales: send(scales),
          sparse: { starts: send(sparse!.starts), entries: send(sparse!.entries) },
        },
        tokens: ids.length,
        ids: send(ids),
        output,
        hiddenSize,
        scale: 3,
      })]);
      const found = new Float32Array(await device.read(output, 4 * ids.length * hiddenSize));
      const row = new Float32Array(hiddenSize);
      ids.forEach((id, token) => {
        readBytes(embedding, id * hiddenSize, row);
        row.forEach((value, i) => {
          const expected = 0.5 + 3 * value;
          const apart = Math.abs(found[token * hiddenSize + i]! - expected);
          assert.ok(apart < 1e-5 * (1 + Math.abs(expected)), `${token}, ${i}: ${apart}`);
        });
      });
    }
    device.close();
  },
});
