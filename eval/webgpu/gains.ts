import type { Device } from "./device.ts";
import { type Binding, makeStep, type Step } from "./program.ts";
import { reduction, rowOfWorkgroup, rowThreads, rowWorkgroups } from "./reduce_code.ts";

/**
 * A matrix `[rows, columns]` on the device, or several with as many columns one below the other, that
 * gains of its rows and columns stand beside: W' = r W c.
 */
export interface GainedMatrix {
  readonly rows: number;
  /** A multiple of 4. */
  readonly columns: number;
  /** Row before which each of the parts ends, at most three; each has gains of columns of its own. */
  readonly ends: readonly number[];
  /** W, and whether it lies there as pairs of float16. */
  readonly weights: Binding;
  readonly type: "f32" | "f16";
  /** Where the gains of rows begin in {@linkcode GainBuffers.values}. */
  readonly rowGains: number;
  /** Where those of columns begin: `[parts, columns]`; a multiple of 4. */
  readonly columnGains: number;
}

/** Where gains, and the sums of their gradients, stand. */
export interface GainBuffers {
  /** The gains, `[size]`. */
  readonly values: GPUBuffer;
  /** Gradients by them, `[slices, size]`, still to be added up over slices. */
  readonly sums: GPUBuffer;
  /** A multiple of 4. */
  readonly size: number;
  readonly slices: number;
}

const threads = 128;

/** Writes W' to `output`. */
export function applyGainsStep(
  device: Device,
  { values }: GainBuffers,
  matrix: GainedMatrix,
  output: Binding,
): Step {
  const { rows, columns, weights, type, rowGains, columnGains } = matrix;
  const groups = Math.ceil(rows * columns / 4 / threads);
  return makeStep(device, {
    code: `
struct Numbers { rows: u32, columns: u32, rowGains: u32, columnGains: u32, first: u32, second: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> values: array<vec4<f32>>;
${weightsCode(type, 2)}
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>;
${partCode}

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = id.x + id.y * ${32768 * threads}u;
  let row = at / numbers.columns;
  if (row >= numbers.rows) { return; }
  let place = numbers.rowGains + row;
  output[at] = readWeight(at) * values[place / 4u][place % 4u] *
    values[numbers.columnGains + partOf(row) * numbers.columns + at % numbers.columns];
}
`,
    numbers: [rows, columns / 4, rowGains, columnGains / 4, ...boundaries(matrix)],
    buffers: [values, weights, output],
    workgroups: [Math.min(groups, 32768), Math.ceil(groups / 32768), 1],
  });
}

/**
 * Finds the gradients by the gains of a matrix, given that by W': `[slices, rows, columns]`, to be added
 * up over slices. It is left as its product with W.
 */
export function gainGradientSteps(
  device: Device,
  buffers: GainBuffers,
  matrix: GainedMatrix,
  gradient: GPUBuffer,
  slices: number,
): Step[] {
  const { rows, columns, ends, weights, type, rowGains, columnGains } = matrix;
  const ofRows = makeStep(device, {
    code: rowGradientCode(type),
    numbers: [rows, columns / 4, rowGains, columnGains / 4, ...boundaries(matrix), slices],
    buffers: [buffers.values, weights, gradient, buffers.sums],
    workgroups: rowWorkgroups(rows),
  });
  const ofColumns = sumColumnsStep(device, buffers, {
    matrix: gradient,
    columns,
    ends,
    rowGains,
    target: columnGains,
  });
  return [ofRows, ofColumns];
}

function rowGradientCode(type: GainedMatrix["type"]): string {
  return `
struct Numbers {
  rows: u32, columns: u32, rowGains: u32, columnGains: u32, first: u32, second: u32, slices: u32,
}
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> values: array<vec4<f32>>;
${weightsCode(type, 2)}
@group(0) @binding(3) var<storage, read_write> gradient: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;
${partCode}
${reduction("total", "a + b")}

@compute @workgroup_size(${rowThreads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = ${rowOfWorkgroup};
  if (row >= numbers.rows) { return; }
  let size = numbers.columns;
  let gains = numbers.columnGains + partOf(row) * size;
  var sum = 0.0;
  for (var i = thread; i < size; i += ${rowThreads}u) {
    let at = row * size + i;
    var slope = gradient[at];
    for (var slice = 1u; slice < numbers.slices; slice++) {
      slope += gradient[at + slice * numbers.rows * size];
    }
    let product = slope * readWeight(at);
    gradient[at] = product;
    sum += dot(product, values[gains + i]);
  }
  sum = total(thread, sum);
  if (thread == 0u) { sums[numbers.rowGains + row] = sum; }
}
`;
}

/** What {@linkcode sumColumnsStep} adds up. */
export interface ColumnSums {
  /** `[rows, columns]`. */
  readonly matrix: Binding;
  readonly columns: number;
  /** Row before which each part ends, whose sums stand one after another; at most three. */
  readonly ends: readonly number[];
  /** What each value is multiplied by: another matrix like it, or gains of rows from a place on. */
  readonly other?: Binding;
  readonly rowGains?: number;
  /** Where the first part's sums go in {@linkcode GainBuffers.sums}. */
  readonly target: number;
}

/** Columns of a workgroup, and rows that are read at once. */
const [across, lanes] = [64, 4];

/** Sums over the rows of a matrix, each slice of rows apart. */
export function sumColumnsStep(
  device: Device,
  { values, sums, size, slices }: GainBuffers,
  { matrix, columns, ends, other, rowGains, target }: ColumnSums,
): Step {
  const factor = other !== undefined ? "other" : rowGains !== undefined ? "gains" : "none";
  return makeStep(device, {
    code: sumColumnsCode(factor),
    numbers: [
      columns,
      ends.at(-1)!,
      slices,
      size,
      target,
      rowGains ?? 0,
      ...boundaries({ ends }),
    ],
    buffers: [
      matrix,
      sums,
      ...(other !== undefined ? [other] : factor === "gains" ? [values] : []),
    ],
    workgroups: [Math.ceil(columns / across), slices * ends.length, 1],
  });
}

function sumColumnsCode(factor: "other" | "gains" | "none"): string {
  const factors = {
    none: "",
    other: " * factors[at]",
    gains: " * factors[numbers.rowGains + row]",
  };
  return `
struct Numbers {
  columns: u32, rows: u32, slices: u32, size: u32, place: u32, rowGains: u32, first: u32,
  second: u32,
}
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> matrix: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
${factor === "none" ? "" : "@group(0) @binding(3) var<storage, read> factors: array<f32>;"}
var<workgroup> found: array<f32, ${across * lanes}>;

@compute @workgroup_size(${across * lanes})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let column = group.x * ${across}u + thread % ${across}u;
  let part = group.y / numbers.slices;
  let slice = group.y % numbers.slices;
  let begin = select(select(0u, numbers.first, part > 0u), numbers.second, part > 1u);
  let end = min(numbers.rows, select(select(numbers.first, numbers.second, part > 0u), numbers.rows, part > 1u));
  let width = (end - begin + numbers.slices - 1u) / numbers.slices;
  let firstRow = begin + slice * width;
  let lastRow = min(end, firstRow + width);
  var sum = 0.0;
  if (column < numbers.columns) {
    for (var row = firstRow + thread / ${across}u; row < lastRow; row += ${lanes}u) {
      let at = row * numbers.columns + column;
      sum += matrix[at]${factors[factor]};
    }
  }
  found[thread] = sum;
  workgroupBarrier();
  if (thread < ${across}u && column < numbers.columns) {
    sums[slice * numbers.size + numbers.place + part * numbers.columns + column] =
      ${
    Array.from({ length: lanes }, (_, lane) => `found[thread + ${lane * across}u]`).join(" + ")
  };
  }
}
`;
}

/** Adds up all sums over slices: `[size]`. */
export function finishSumsStep(
  device: Device,
  { sums, size, slices }: GainBuffers,
  output: Binding,
): Step {
  const groups = Math.ceil(size / threads);
  return makeStep(device, {
    code: `
struct Numbers { size: u32, slices: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = id.x + id.y * ${32768 * threads}u;
  if (at >= numbers.size) { return; }
  var sum = 0.0;
  for (var slice = 0u; slice < numbers.slices; slice++) { sum += sums[slice * numbers.size + at]; }
  output[at] = sum;
}
`,
    numbers: [size, slices],
    buffers: [sums, output],
    workgroups: [Math.min(groups, 32768), Math.ceil(groups / 32768), 1],
  });
}

/** The first row of the second and third part; beyond all rows where there are none. */
function boundaries({ ends }: Pick<GainedMatrix, "ends">): number[] {
  const inner = ends.slice(0, -1);
  return [inner[0] ?? 0xffffffff, inner[1] ?? 0xffffffff];
}

const partCode = `
fn partOf(row: u32) -> u32 {
  return select(select(0u, 1u, row >= numbers.first), 2u, row >= numbers.second);
}`;

function weightsCode(type: GainedMatrix["type"], binding: number): string {
  return type === "f32"
    ? `@group(0) @binding(${binding}) var<storage, read> weights: array<vec4<f32>>;
fn readWeight(at: u32) -> vec4<f32> { return weights[at]; }`
    : `@group(0) @binding(${binding}) var<storage, read> weights: array<vec2<u32>>;
fn readWeight(at: u32) -> vec4<f32> {
  let pair = weights[at];
  return vec4(unpack2x16float(pair.x), unpack2x16float(pair.y));
}`;
}
