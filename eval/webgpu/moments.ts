import type { Device } from "./device.ts";
import { productStep } from "./product.ts";
import { type Binding, makeStep, type Step } from "./program.ts";

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

/** Tiles of 128 × 128 that keep a large card busy. */
const busyTiles = 64;
/** Fewest rows of a slice. */
const sliceRows = 512;

/** Into how many slices of rows a moment is divided: of few features, too few cores would be busy. */
function momentSlices({ rows, size }: Pick<Columns, "rows" | "size">): number {
  const across = Math.ceil(size / 128);
  const tiles = across * (across + 1) / 2;
  if (tiles >= busyTiles) return 1;
  let slices = Math.max(
    1,
    Math.min(Math.ceil(2 * busyTiles / tiles), Math.floor(rows / sliceRows)),
  );
  while (rows % slices !== 0) slices--;
  return slices;
}

/** Numbers of the scratch that {@linkcode momentSteps} need for up to so many rows. */
export function momentScratch(size: number, rows: number): number {
  const across = Math.ceil(size / 128);
  const tiles = across * (across + 1) / 2;
  const most = Math.min(Math.ceil(2 * busyTiles / tiles), Math.floor(rows / sliceRows));
  return tiles >= busyTiles || most < 2 ? 0 : most * size * size;
}

/** Adds Xᵀ X to the lower triangle (at least) of a square matrix; the scratch is written over. */
export function momentSteps(
  device: Device,
  { buffer, rows, stride, start, size }: Columns,
  sum: GPUBuffer,
  scratch: GPUBuffer,
): Step[] {
  const slices = momentSlices({ rows, size });
  const operand = {
    buffer,
    stride,
    start,
    perMatrix: rows / slices * stride,
    layout: "alongResult",
  } as const;
  const product = productStep(device, {
    rows: size,
    columns: size,
    inner: rows / slices,
    left: operand,
    right: operand,
    result: { buffer: slices === 1 ? sum : scratch, stride: size, perMatrix: size * size },
    matrices: slices,
    adds: slices === 1,
    skips: "above",
  });
  return slices === 1 ? [product] : [product, addSlicesStep(device, scratch, slices, sum, size)];
}

const sliceThreads = 128;

/** Adds the lower triangles of square matrices to that of another. */
function addSlicesStep(
  device: Device,
  squares: Binding,
  slices: number,
  sum: Binding,
  size: number,
): Step {
  return makeStep(device, {
    code: `
struct Numbers { size: u32, slices: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> squares: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;

@compute @workgroup_size(${sliceThreads})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let quads = numbers.size / 4u;
  if (id.x >= quads || 4u * id.x > id.y) { return; }
  let at = id.y * quads + id.x;
  var sum = output[at];
  for (var slice = 0u; slice < numbers.slices; slice++) {
    sum += squares[slice * numbers.size * quads + at];
  }
  output[at] = sum;
}
`,
    numbers: [size, slices],
    buffers: [squares, sum],
    workgroups: [Math.ceil(size / 4 / sliceThreads), size, 1],
  });
}
