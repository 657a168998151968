import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { needsWebGpu } from "../../kan/testdata/needs_webgpu.ts";
import type { Device } from "./device.ts";
import { halvesOf } from "./half_floats.ts";
import { openDevice } from "./open_device.ts";
import { chooseTile, noWindow, productStep } from "./product.ts";
import { type OperandLayout, type ProductVariant, tileSizes } from "./product_code.ts";
import { runSteps } from "./program.ts";

interface Case {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly left?: OperandLayout;
  readonly right?: OperandLayout;
  readonly halves?: boolean;
  readonly bias?: boolean;
  readonly adds?: boolean;
  readonly factor?: number;
  readonly skips?: ProductVariant["skips"];
  readonly window?: number;
  readonly matrices?: number;
}

/** Whether a causal matrix has something at a place. */
function isSeen(row: number, column: number, window: number): boolean {
  return column <= row && column + window > row;
}

/** Runs one product on the device, and compares it with sums in float64 where it is defined. */
async function check(
  device: Device,
  given: Case,
  tile: ProductVariant["tile"],
): Promise<void> {
  const { rows, columns, inner, left = "alongInner", right = "alongInner", matrices = 1 } = given;
  const { skips = "none", window = noWindow, factor = 1, halves = false } = given;
  const random = createRandom(5);
  const values = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  const [a, b] = [values(matrices * rows * inner), values(matrices * columns * inner)];
  const leftAt = (m: number, row: number, k: number) =>
    m * rows * inner + (left === "alongInner" ? row * inner + k : k * rows + row);
  const rightAt = (m: number, k: number, column: number) =>
    m * columns * inner + (right === "alongInner" ? column * inner + k : k * columns + column);
  for (let m = 0; m < matrices; m++) {
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < inner; k++) {
        const hidden = skips === "leftAbove" && !isSeen(row, k, window) ||
          skips === "leftBelow" && !isSeen(k, row, window);
        if (hidden) a[leftAt(m, row, k)] = 0;
      }
    }
  }
  if (halves) b.set(Float16Array.from(b));
  const [before, bias] = [values(matrices * rows * columns), values(columns)];
  const send = (data: Float32Array | Uint16Array) => {
    const buffer = device.allocate(data.byteLength);
    device.write(buffer, data);
    return buffer;
  };
  const result = send(before);
  const step = productStep(device, {
    rows,
    columns,
    inner,
    left: {
      buffer: send(a),
      layout: left,
      stride: left === "alongInner" ? inner : rows,
      perMatrix: rows * inner,
    },
    right: {
      buffer: send(halves ? halvesOf(b, device.readsSmallHalves)! : b),
      layout: right,
      type: halves ? "f16" : "f32",
      stride: right === "alongInner" ? inner : columns,
      perMatrix: columns * inner,
    },
    result: { buffer: result, stride: columns, perMatrix: rows * columns },
    ...(given.bias === true && { bias: send(bias) }),
    adds: given.adds ?? false,
    factor,
    skips,
    window,
    matrices,
    tile,
  });
  runSteps(device, [step]);
  const found = new Float32Array(await device.read(result, before.byteLength));
  let worst = 0;
  for (let m = 0; m < matrices; m++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        if (skips === "above" && !isSeen(row, column, window)) continue;
        let sum = 0;
        for (let k = 0; k < inner; k++) sum += a[leftAt(m, row, k)]! * b[rightAt(m, k, column)]!;
        sum *= factor;
        const at = (m * rows + row) * columns + column;
        if (given.bias === true) sum += bias[column]!;
        if (given.adds === true) sum += before[at]!;
        worst = Math.max(worst, Math.abs(found[at]! - sum));
      }
    }
  }
  assert.ok(worst < 2e-6 * inner, `${JSON.stringify(given)}, tiles ${tile}: ${worst}`);
}

const layouts: readonly OperandLayout[] = ["alongInner", "alongResult"];
const cases: readonly Case[] = [
  ...layouts.flatMap((left) =>
    layouts.flatMap((right) => [
      { rows: 4, columns: 4, inner: 4, left, right },
      { rows: 76, columns: 36, inner: 52, left, right },
      { rows: 396, columns: 340, inner: 20, left, right },
      { rows: 260, columns: 188, inner: 28, left, right, matrices: 3 },
    ])
  ),
  { rows: 70, columns: 36, inner: 52, halves: true },
  { rows: 70, columns: 36, inner: 52, halves: true, right: "alongResult" },
  { rows: 397, columns: 340, inner: 20, bias: true, adds: true, factor: 0.5 },
  { rows: 700, columns: 700, inner: 8, skips: "above" },
  { rows: 700, columns: 700, inner: 8, skips: "above", window: 100 },
  { rows: 500, columns: 64, inner: 500, right: "alongResult", skips: "leftAbove", matrices: 5 },
  { rows: 500, columns: 64, inner: 500, right: "alongResult", skips: "leftAbove", window: 90 },
  {
    rows: 500,
    columns: 64,
    inner: 500,
    left: "alongResult",
    right: "alongResult",
    skips: "leftBelow",
    matrices: 5,
  },
  {
    rows: 500,
    columns: 64,
    inner: 500,
    left: "alongResult",
    right: "alongResult",
    skips: "leftBelow",
    window: 90,
  },
];

Deno.test({
  name: "matrix products are those in float64, whatever their layout, size, place and tiles",
  ...needsWebGpu,
  async fn() {
    const device = await openDevice();
    try {
      for (const tile of tileSizes) {
        for (const each of cases) await check(device, each, tile);
      }
    } finally {
      device.close();
    }
  },
});

Deno.test("products take the tiles that were fastest on an H200", () => {
  const measured = [
    { rows: 8192, columns: 3072, best: [128, 128] },
    { rows: 8192, columns: 576, best: [128, 128] },
    { rows: 8192, columns: 1536, best: [128, 128] },
    { rows: 1280, columns: 49152, best: [128, 128] },
    { rows: 4096, columns: 4096, best: [128, 128] },
    { rows: 1536, columns: 1536, skips: "above", best: [128, 64] },
  ] as const;
  for (const { best, ...sizes } of measured) assert.deepEqual(chooseTile(sizes), best);
});

Deno.test("many matrices keep a card busy with large tiles, narrow or few ones with small ones", () => {
  const heads = { rows: 512, columns: 512, skips: "above" } as const;
  assert.deepEqual(chooseTile({ ...heads, matrices: 144 }), [128, 128]);
  assert.deepEqual(chooseTile({ ...heads, matrices: 9 }), [128, 64]);
  assert.deepEqual(chooseTile({ rows: 512, columns: 64, matrices: 144 }), [128, 64]);
  assert.deepEqual(chooseTile({ rows: 64, columns: 49152 }), [64, 64]);
  assert.deepEqual(chooseTile({ rows: 256, columns: 256 }), [64, 64]);
});

Deno.test({
  name: "places that are not multiples of 4 are refused",
  ...needsWebGpu,
  async fn() {
    const device = await openDevice();
    const buffer = device.allocate(64);
    const operand = { buffer, stride: 6, layout: "alongInner" } as const;
    assert.throws(
      () =>
        productStep(device, {
          rows: 4,
          columns: 4,
          inner: 4,
          left: operand,
          right: operand,
          result: operand,
        }),
      RangeError,
    );
    device.close();
  },
});
