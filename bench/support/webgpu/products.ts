import type { Device } from "../../../eval/webgpu/device.ts";
import { momentScratch, momentSteps } from "../../../eval/webgpu/moments.ts";
import { productStep } from "../../../eval/webgpu/product.ts";
import { tileSizes } from "../../../eval/webgpu/product_code.ts";
import { say } from "./report.ts";
import { timeStep } from "./time_steps.ts";

/** Matrix products as SmolLM2-135M has them with jobs of 8,192 tokens, and a square one. */
const shapes = [
  { name: "gate and up", rows: 8192, columns: 3072, inner: 576 },
  { name: "gate and up, float16 weights", rows: 8192, columns: 3072, inner: 576, halves: true },
  { name: "down", rows: 8192, columns: 576, inner: 1536 },
  { name: "back through down", rows: 8192, columns: 1536, inner: 576, turned: true },
  { name: "head, 1,280 rows", rows: 1280, columns: 49152, inner: 576 },
  { name: "moment of 1,536 features", rows: 1536, columns: 1536, inner: 8192, moment: true },
  { name: "square", rows: 4096, columns: 4096, inner: 4096 },
];

/** Prints how fast the device multiplies matrices alone; `tiles`: also with every size of tiles. */
export async function timeProducts(device: Device, small: boolean, tiles: boolean): Promise<void> {
  for (const { name, halves = false, turned = false, moment = false, ...shape } of shapes) {
    const scale = small ? 16 : 1;
    const rows = moment ? shape.rows : shape.rows / scale;
    const [columns, inner] = [
      shape.columns / (shape.columns >= 4096 ? scale : 1),
      shape.inner >= 4096 ? shape.inner / scale : shape.inner,
    ];
    const left = device.allocate(4 * rows * inner);
    const right = device.allocate(4 * inner * columns);
    const result = device.allocate(4 * rows * columns);
    for (const [buffer, count] of [[left, rows * inner], [right, inner * columns]] as const) {
      // As random as float32 and as float16: numbers from 1 to 2.
      const values = Uint32Array.from({ length: count }, (_, i) => {
        const bits = Math.imul(i + 1, 0x9e3779b1) >>> 9;
        return halves && buffer === right ? 0x3c003c00 | bits & 0x03ff03ff : 0x3f800000 | bits;
      });
      device.write(buffer, values);
    }
    for (const tile of [undefined, ...(tiles ? tileSizes : [])]) {
      const step = productStep(device, {
        rows,
        columns,
        inner,
        left: moment
          ? { buffer: left, stride: rows, layout: "alongResult" }
          : { buffer: left, stride: inner, layout: "alongInner" },
        right: turned || moment
          ? { buffer: right, stride: columns, layout: "alongResult" }
          : { buffer: right, stride: inner, layout: "alongInner", type: halves ? "f16" : "f32" },
        result: { buffer: result, stride: columns },
        ...(moment && { adds: true, skips: "above" }),
        ...(tile !== undefined && { tile }),
      });
      const seconds = await timeStep(device, step);
      const operations = 2 * rows * columns * inner / (moment ? 2 : 1);
      say(
        `product ${rows} × ${inner} × ${columns} (${name})${
          tile === undefined ? "" : `, tiles ${tile[0]} × ${tile[1]}`
        }: ${(1e3 * seconds).toFixed(3)} ms, ${(operations / seconds / 1e9).toFixed(1)} GFLOP/s`,
      );
    }
    for (const buffer of [left, right, result]) buffer.destroy();
  }
}

/** Prints how fast the second moments of few and of many features are summed, as calibration does. */
export async function timeMoments(device: Device, small: boolean): Promise<void> {
  const rows = small ? 1024 : 8192;
  for (const size of [192, 576, 1536]) {
    const buffer = device.allocate(4 * rows * size);
    const sum = device.allocate(4 * size * size);
    const scratch = device.allocate(4 * momentScratch(size, rows));
    const operand = { buffer, stride: size, layout: "alongResult" } as const;
    const whole = productStep(device, {
      rows: size,
      columns: size,
      inner: rows,
      left: operand,
      right: operand,
      result: { buffer: sum, stride: size },
      adds: true,
      skips: "above",
    });
    const columns = { buffer, rows, stride: size, start: 0, size };
    const steps = momentSteps(device, columns, sum, scratch);
    const alone = await timeStep(device, whole);
    let seconds = 0;
    for (const step of steps) seconds += await timeStep(device, step);
    say(
      `moment of ${size} features over ${rows} tokens: ${
        (1e3 * alone).toFixed(3)
      } ms in one sum, ` +
        `${(1e3 * seconds).toFixed(3)} ms in ${steps.length > 1 ? "slices" : "one too"}, ` +
        `${(rows * size * size / seconds / 1e9).toFixed(1)} GFLOP/s`,
    );
    for (const each of [buffer, sum, scratch]) each.destroy();
  }
}
