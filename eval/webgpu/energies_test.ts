import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { needsWebGpu } from "../../kan/testdata/needs_webgpu.ts";
import { energyStep, energySumsStep, weighRowsStep } from "./energies.ts";
import { openDevice } from "./open_device.ts";
import { runSteps } from "./program.ts";

Deno.test({
  name: "rows are weighed by powers of their energies, whose sums are added to what is there",
  ...needsWebGpu,
  async fn() {
    const device = await openDevice();
    const random = createRandom(4);
    const rows = 300, stride = 200, start = 8, size = 24, power = -0.25;
    const values = Float32Array.from({ length: rows * stride }, () => random.normal());
    // A row without energy stays so.
    values.fill(0, 7 * stride, 8 * stride);
    const send = (numbers: Float32Array) => {
      const buffer = device.allocate(numbers.byteLength);
      device.write(buffer, numbers);
      return buffer;
    };
    const buffer = send(values), sums = send(Float32Array.of(1, 2, 3, 4));
    const energies = device.allocate(4 * rows), output = device.allocate(4 * rows * size);
    const columns = { buffer, rows, stride, start, size };
    runSteps(device, [
      energyStep(device, { buffer, rows, size: stride }, energies),
      energySumsStep(device, { energies, rows, sums, pair: 1, power: 0.4 }),
      weighRowsStep(device, columns, energies, output, power),
    ]);
    const read = async (buffer: GPUBuffer) =>
      new Float32Array(await device.read(buffer, buffer.size));
    const expected = Array.from({ length: rows }, (_, row) => {
      const own = values.subarray(row * stride, (row + 1) * stride);
      return own.reduce((sum, value) => sum + value * value, 0);
    });
    const found = await read(energies), weighed = await read(output);
    for (const [row, energy] of expected.entries()) {
      assert.ok(Math.abs(found[row]! - energy) <= 1e-5 * energy);
      const factor = energy > 0 ? energy ** power : 0;
      for (let i = 0; i < size; i++) {
        const value = values[row * stride + start + i]! * factor;
        assert.ok(Math.abs(weighed[row * size + i]! - value) <= 1e-5 * (1 + Math.abs(value)));
      }
    }
    const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
    const pairs = [1, 2, 3 + total(expected), 4 + total(expected.map((energy) => energy ** 0.4))];
    (await read(sums)).subarray(0, 4).forEach((value, at) => {
      assert.ok(Math.abs(value / pairs[at]! - 1) < 1e-5, `${value} instead of ${pairs[at]}`);
    });
    device.close();
  },
});
