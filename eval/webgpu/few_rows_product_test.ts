import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { needsWebGpu } from "../../kan/testdata/needs_webgpu.ts";
import type { Device } from "./device.ts";
import { fewRows, fewRowsProductStep } from "./few_rows_product.ts";
import { halvesOf } from "./half_floats.ts";
import { openDevice } from "./open_device.ts";
import { runSteps } from "./program.ts";

Deno.test({
  name: "a product of few rows is that of its definition, in every layout and type",
  ...needsWebGpu,
  async fn() {
    const device = await openDevice();
    const random = createRandom(2);
    const send = (device: Device, values: Float32Array | Uint16Array) => {
      const buffer = device.allocate(values.byteLength);
      device.write(buffer, values);
      return buffer;
    };
    const numbers = (count: number) => Float32Array.from({ length: count }, () => random.normal());
    for (const layout of ["alongInner", "alongResult"] as const) {
      for (const type of ["f32", "f16"] as const) {
        for (const [rows, columns, inner] of [[1, 52, 76], [3, 37, 140], [fewRows, 132, 20]]) {
          const width = Math.ceil(columns! / 4) * 4;
          const [stride, start] = [width + 8, 4];
          const x = numbers(rows! * inner!);
          const size = layout === "alongInner" ? columns! * inner! : width * inner!;
          const w = Float32Array.from(Float16Array.from(numbers(size)));
          const [bias, before] = [numbers(width), numbers(rows! * stride)];
          const output = send(device, before);
          const halves = type === "f16" ? halvesOf(w, true) : undefined;
          runSteps(device, [fewRowsProductStep(device, {
            rows: rows!,
            columns: columns!,
            inner: inner!,
            input: send(device, x),
            matrix: {
              buffer: send(device, halves ?? w),
              stride: layout === "alongInner" ? inner! : width,
              layout,
              type,
            },
            output,
            stride,
            start,
            bias: send(device, bias),
            adds: true,
          })]);
          const found = new Float32Array(await device.read(output, 4 * before.length));
          for (let row = 0; row < rows!; row++) {
            for (let column = 0; column < stride; column++) {
              let expected = before[row * stride + column]!;
              const own = column - start;
              if (own >= 0 && own < columns!) {
                for (let i = 0; i < inner!; i++) {
                  const at = layout === "alongInner" ? own * inner! + i : i * width + own;
                  expected += x[row * inner! + i]! * w[at]!;
                }
                expected += bias[own]!;
              }
              const apart = Math.abs(found[row * stride + column]! - expected);
              assert.ok(apart < 1e-4, `${layout} ${type} ${rows}: ${row}, ${column}: ${apart}`);
            }
          }
        }
      }
    }
    device.close();
  },
});
