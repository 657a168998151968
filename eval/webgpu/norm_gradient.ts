import type { NormDescription } from "../architectures/description.ts";
import type { Device } from "./device.ts";
import type { NormBuffers } from "./normalization.ts";
import { type Binding, makeStep, real, type Step } from "./program.ts";
import { reduction, rowOfWorkgroup, rowThreads, rowWorkgroups } from "./reduce_code.ts";

/** What {@linkcode normGradientStep} is given. */
export interface NormGradientOptions {
  readonly norm: NormDescription;
  readonly vectors: NormBuffers;
  /** What was normalized, `[rows, size]`. */
  readonly input: Binding;
  /** The gradient by what the norm gave. */
  readonly gradient: Binding;
  /** The gradient by the input is added to this. */
  readonly sum: Binding;
  readonly rows: number;
}

/** Adds the gradient by a norm's input to a sum: one workgroup for each row. */
export function normGradientStep(device: Device, options: NormGradientOptions): Step {
  const { norm, vectors, input, gradient, sum, rows } = options;
  return makeStep(device, {
    code: normGradientCode(norm.kind === "layerNorm"),
    numbers: [rows, norm.size, real(norm.epsilon)],
    buffers: [input, vectors.weight, gradient, sum],
    workgroups: rowWorkgroups(rows),
  });
}

/** As `normGradient` on tfjs: the gradient less its part along the row, and its mean if it centres. */
function normGradientCode(centres: boolean): string {
  const each = (text: string) => `for (var i = thread; i < size; i += ${rowThreads}u) { ${text} }`;
  return `
struct Numbers { rows: u32, size: u32, epsilon: f32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;
${reduction("total", "a + b")}

@compute @workgroup_size(${rowThreads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = ${rowOfWorkgroup};
  if (row >= numbers.rows) { return; }
  let size = numbers.size;
  let first = row * size;
  var sum = 0.0;
  var scaled = 0.0;
  ${centres ? each("sum += input[first + i]; scaled += gradient[first + i] * weight[i];") : ""}
  let mean = ${centres ? "total(thread, sum) / f32(size)" : "0.0"};
  let meanScaled = ${centres ? "total(thread, scaled) / f32(size)" : "0.0"};
  var squares = 0.0;
  var along = 0.0;
  ${
    each(`let x = input[first + i] - mean;
    squares += x * x;
    along += x * gradient[first + i] * weight[i];`)
  }
  let inverse = inverseSqrt(total(thread, squares) / f32(size) + numbers.epsilon);
  let share = total(thread, along) * inverse * inverse / f32(size);
  ${
    each(`let x = input[first + i] - mean;
    sums[first + i] += (gradient[first + i] * weight[i] - x * share - meanScaled) * inverse;`)
  }
}
`;
}
