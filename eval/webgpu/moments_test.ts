import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { needsWebGpu } from "../../kan/testdata/needs_webgpu.ts";
import { momentScratch, momentSteps } from "./moments.ts";
import { openDevice } from "./open_device.ts";
import { runSteps } from "./program.ts";

Deno.test({
  name: "moments are sums of squares, added to what is there, in slices of rows or in one",
  ...needsWebGpu,
  async fn() {
    const device = await openDevice();
    const random = createRandom(3);
    for (const [rows, size, inSlices] of [[2048, 36, true], [1026, 12, true], [300, 40, false]]) {
      const [count, width] = [rows as number, size as number];
      const [stride, start] = [width + 8, 4];
      const values = Float32Array.from({ length: count * stride }, () => random.normal());
      const before = Float32Array.from({ length: width * width }, () => random.normal());
      const buffer = device.allocate(values.byteLength);
      device.write(buffer, values);
      const sum = device.allocate(before.byteLength);
      device.write(sum, before);
      const scratch = device.allocate(4 * momentScratch(width, count));
      const columns = { buffer, rows: count, stride, start, size: width };
      const steps = momentSteps(device, columns, sum, scratch);
      assert.equal(steps.length, inSlices ? 2 : 1);
      runSteps(device, steps);
      const found = new Float32Array(await device.read(sum, before.byteLength));
      for (let i = 0; i < width; i++) {
        for (let j = 0; j <= i; j++) {
          let expected = before[i * width + j]!;
          for (let row = 0; row < count; row++) {
            expected += values[row * stride + start + i]! * values[row * stride + start + j]!;
          }
          const apart = Math.abs(found[i * width + j]! - expected);
          assert.ok(apart < 1e-5 * count, `${i}, ${j}: ${apart}`);
        }
      }
    }
    device.close();
  },
});
