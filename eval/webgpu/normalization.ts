import type { NormDescription } from "../architectures/description.ts";
import type { Device } from "./device.ts";
import { type Binding, makeStep, real, type Step } from "./program.ts";
import { reduction, rowOfWorkgroup, rowThreads, rowWorkgroups } from "./reduce_code.ts";

/** Buffers of a normalization's vectors. */
export interface NormBuffers {
  readonly weight: Binding;
  readonly bias?: Binding;
}

/** What {@linkcode normStep} is given. */
export interface NormOptions {
  readonly norm: NormDescription;
  readonly vectors: NormBuffers;
  /** `[rows, size]`, or more rows where some are picked. */
  readonly input: Binding;
  /** `[rows, size]`. */
  readonly output: Binding;
  readonly rows: number;
  /** Numbers of the input's rows, u32, where not all are wanted in order. */
  readonly picked?: Binding;
}

/** Normalizes rows: one workgroup for each. */
export function normStep(device: Device, options: NormOptions): Step {
  const { norm, vectors, input, output, rows, picked } = options;
  const variant = {
    centres: norm.kind === "layerNorm",
    bias: vectors.bias !== undefined,
    picks: picked !== undefined,
  };
  const optional = [vectors.bias, picked].filter((buffer) => buffer !== undefined);
  return makeStep(device, {
    code: normCode(variant),
    numbers: [rows, norm.size, real(norm.epsilon)],
    buffers: [input, vectors.weight, output, ...optional],
    workgroups: rowWorkgroups(rows),
  });
}

function normCode({ centres, bias, picks }: Record<"centres" | "bias" | "picks", boolean>): string {
  return `
struct Numbers { rows: u32, size: u32, epsilon: f32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
${bias ? "@group(0) @binding(4) var<storage, read> bias: array<f32>;" : ""}
${picks ? `@group(0) @binding(${bias ? 5 : 4}) var<storage, read> picked: array<u32>;` : ""}
${reduction("total", "a + b")}

@compute @workgroup_size(${rowThreads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = ${rowOfWorkgroup};
  if (row >= numbers.rows) { return; }
  let size = numbers.size;
  let first = ${picks ? "picked[row]" : "row"} * size;
  ${
    centres
      ? `var sum = 0.0;
  for (var i = thread; i < size; i += ${rowThreads}u) { sum += input[first + i]; }
  let mean = total(thread, sum) / f32(size);`
      : "let mean = 0.0;"
  }
  var squares = 0.0;
  for (var i = thread; i < size; i += ${rowThreads}u) {
    let x = input[first + i] - mean;
    squares += x * x;
  }
  let inverse = inverseSqrt(total(thread, squares) / f32(size) + numbers.epsilon);
  for (var i = thread; i < size; i += ${rowThreads}u) {
    output[row * size + i] = (input[first + i] - mean) * inverse * weight[i]${
    bias ? " + bias[i]" : ""
  };
  }
}
`;
}
