import type { Device } from "./device.ts";
import type { SparsePart } from "./model_weights.ts";
import { type Binding, makeStep, type Step } from "./program.ts";

/** What {@linkcode sparseProductStep} is given. */
export interface SparseProductOptions {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** `[rows, inner]`. */
  readonly input: Binding;
  /** The entries of the right operand, `[columns, inner]`, and what they are multiplied by. */
  readonly sparse: SparsePart;
  readonly scales: Binding;
  /** `[rows, stride]`, of which columns from `start` on are added to. */
  readonly output: Binding;
  readonly stride: number;
  readonly start: number;
}

/** Threads of a workgroup, each of which makes one value. */
const threads = 64;

/** Adds to the product of rows with a matrix what is in its sparse part. */
export function sparseProductStep(device: Device, options: SparseProductOptions): Step {
  const { rows, columns, inner, input, sparse, scales, output, stride, start } = options;
  return makeStep(device, {
    code,
    numbers: [columns, inner, stride, start],
    buffers: [input, scales, sparse.starts, sparse.entries, output],
    workgroups: [Math.ceil(columns / threads), rows, 1],
  });
}

const code = `
struct Numbers { columns: u32, inner: u32, stride: u32, start: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> scales: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> starts: array<u32>;
@group(0) @binding(4) var<storage, read> entries: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let own = id.x;
  if (own >= numbers.columns) { return; }
  let end = starts[own + 1u];
  let row = scales[own];
  var sum = 0.0;
  for (var at = starts[own]; at < end; at++) {
    let column = entries[at].x;
    let factor = bitcast<f32>(scales[row.y + column / 2u][column % 2u]);
    sum += bitcast<f32>(entries[at].y) * factor * input[id.y * numbers.inner + column];
  }
  let place = id.y * numbers.stride + numbers.start + own;
  output[place] += bitcast<f32>(row.x) * sum;
}
`;
