import type { Device } from "./device.ts";
import { productStep } from "./product.ts";
import { type Binding, makeStep, type Step } from "./program.ts";
import { reduction, rowOfWorkgroup, rowThreads, rowWorkgroups } from "./reduce_code.ts";

/** Columns of a matrix `[rows, stride]` on the device. */
export interface Columns {
  readonly buffer: GPUBuffer;
  readonly rows: number;
  readonly stride: number;
  /** The first column, a multiple of 4. */
  readonly start: number;
  /** How many, a multiple of 4. */
  readonly size: number;
}

/** Adds Xᵀ X to the lower triangle (at least) of a square matrix. */
export function momentStep(
  device: Device,
  { buffer, rows, stride, start, size }: Columns,
  sum: GPUBuffer,
): Step {
  const operand = { buffer, stride, start, layout: "alongResult" } as const;
  return productStep(device, {
    rows: size,
    columns: size,
    inner: rows,
    left: operand,
    right: operand,
    result: { buffer: sum, stride: size },
    adds: true,
    skips: "above",
  });
}

/** What {@linkcode weightingSteps} is given. */
export interface WeightingOptions {
  /** `[rows, size]`. */
  readonly input: Binding;
  readonly rows: number;
  readonly size: number;
  /** `[rows, gradientSize]`, whose squares are a row's energy; absent: the energies are known. */
  readonly gradient?: { readonly buffer: Binding; readonly size: number };
  /** A number for each row. */
  readonly energies: Binding;
  /** The input, each row times the root of its energy. */
  readonly output: Binding;
  /** Sums of energies, one for each group of layers. */
  readonly sums: Binding;
  /** Which sum the energies are added to. */
  readonly group: number;
}

/** Weighs the rows of a layer's inputs with the squared gradients by its outputs. */
export function weightingSteps(device: Device, options: WeightingOptions): Step[] {
  const { input, rows, size, gradient, energies, output, sums, group } = options;
  return [
    makeStep(device, {
      code: weightingCode(gradient !== undefined),
      numbers: [rows, size, gradient?.size ?? 0],
      buffers: [input, energies, output, ...(gradient === undefined ? [] : [gradient.buffer])],
      workgroups: rowWorkgroups(rows),
    }),
    makeStep(device, {
      code: sumCode,
      numbers: [rows, group],
      buffers: [energies, sums],
      workgroups: [1, 1, 1],
    }),
  ];
}

function weightingCode(finds: boolean): string {
  return `
struct Numbers { rows: u32, size: u32, gradientSize: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, ${finds ? "read_write" : "read"}> energies: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
${finds ? "@group(0) @binding(4) var<storage, read> gradient: array<f32>;" : ""}
${finds ? reduction("total", "a + b") : ""}

@compute @workgroup_size(${rowThreads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = ${rowOfWorkgroup};
  if (row >= numbers.rows) { return; }
  ${
    finds
      ? `var squares = 0.0;
  let first = row * numbers.gradientSize;
  for (var i = thread; i < numbers.gradientSize; i += ${rowThreads}u) {
    squares += gradient[first + i] * gradient[first + i];
  }
  let energy = total(thread, squares);
  if (thread == 0u) { energies[row] = energy; }`
      : "let energy = energies[row];"
  }
  let root = sqrt(energy);
  let size = numbers.size;
  for (var i = thread; i < size; i += ${rowThreads}u) { output[row * size + i] = input[row * size + i] * root; }
}
`;
}

const sumCode = `
struct Numbers { rows: u32, group: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> energies: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
${reduction("total", "a + b")}

@compute @workgroup_size(${rowThreads})
fn main(@builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var i = thread; i < numbers.rows; i += ${rowThreads}u) { sum += energies[i]; }
  sum = total(thread, sum);
  if (thread == 0u) { sums[numbers.group] += sum; }
}
`;
