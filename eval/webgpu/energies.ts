import type { Device } from "./device.ts";
import type { Columns } from "./moments.ts";
import { type Binding, makeStep, real, type Step } from "./program.ts";
import { reduction, rowOfWorkgroup, rowThreads, rowWorkgroups } from "./reduce_code.ts";

/** Finds the sum of the squares of each row of a matrix `[rows, size]`. */
export function energyStep(
  device: Device,
  gradient: { readonly buffer: Binding; readonly rows: number; readonly size: number },
  energies: Binding,
): Step {
  return makeStep(device, {
    code: energyCode,
    numbers: [gradient.rows, gradient.size],
    buffers: [gradient.buffer, energies],
    workgroups: rowWorkgroups(gradient.rows),
  });
}

/** Adds the sum of energies and that of a power of them to a pair of sums. */
export function energySumsStep(
  device: Device,
  { energies, rows, sums, pair, power }: {
    readonly energies: Binding;
    readonly rows: number;
    readonly sums: Binding;
    /** Number of the pair. */
    readonly pair: number;
    readonly power: number;
  },
): Step {
  return makeStep(device, {
    code: sumsCode,
    numbers: [rows, pair, real(power)],
    buffers: [energies, sums],
    workgroups: [1, 1, 1],
  });
}

/**
 * Copies columns of a matrix to one of as many columns, each row times a power of its energy; rows
 * without any become 0.
 */
export function weighRowsStep(
  device: Device,
  { buffer, rows, stride, start, size }: Columns,
  energies: Binding,
  output: Binding,
  power: number,
): Step {
  return makeStep(device, {
    code: weighCode,
    numbers: [rows, stride, start, size, real(power)],
    buffers: [buffer, energies, output],
    workgroups: rowWorkgroups(rows),
  });
}

const energyCode = `
struct Numbers { rows: u32, size: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> energies: array<f32>;
${reduction("total", "a + b")}

@compute @workgroup_size(${rowThreads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = ${rowOfWorkgroup};
  if (row >= numbers.rows) { return; }
  var squares = 0.0;
  let first = row * numbers.size;
  for (var i = thread; i < numbers.size; i += ${rowThreads}u) {
    squares += gradient[first + i] * gradient[first + i];
  }
  let energy = total(thread, squares);
  if (thread == 0u) { energies[row] = energy; }
}
`;

const sumsCode = `
struct Numbers { rows: u32, pair: u32, power: f32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> energies: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
${reduction("total", "a + b")}

@compute @workgroup_size(${rowThreads})
fn main(@builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  var powers = 0.0;
  for (var i = thread; i < numbers.rows; i += ${rowThreads}u) {
    sum += energies[i];
    if (energies[i] > 0.0) { powers += pow(energies[i], numbers.power); }
  }
  sum = total(thread, sum);
  powers = total(thread, powers);
  if (thread == 0u) {
    sums[2u * numbers.pair] += sum;
    sums[2u * numbers.pair + 1u] += powers;
  }
}
`;

const weighCode = `
struct Numbers { rows: u32, stride: u32, start: u32, size: u32, power: f32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> energies: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(${rowThreads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = ${rowOfWorkgroup};
  if (row >= numbers.rows) { return; }
  let energy = energies[row];
  var factor = 0.0;
  if (energy > 0.0) { factor = pow(energy, numbers.power); }
  let size = numbers.size;
  let first = row * numbers.stride + numbers.start;
  for (var i = thread; i < size; i += ${rowThreads}u) {
    output[row * size + i] = input[first + i] * factor;
  }
}
`;
