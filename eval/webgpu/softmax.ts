import type { Device } from "./device.ts";
import { noWindow } from "./product.ts";
import { type Binding, makeStep, type Step } from "./program.ts";
import { reduction, rowThreads } from "./reduce_code.ts";

/** What {@linkcode softmaxStep} is given. */
export interface SoftmaxOptions {
  /** `[matrices, length, stride]`, in place. */
  readonly scores: Binding;
  readonly matrices: number;
  readonly length: number;
  readonly stride: number;
  /** Tokens that one attends to, itself included. */
  readonly window?: number | undefined;
}

/**
 * Shares of attention: softmax over the tokens that each may attend to, zeros elsewhere, up to the
 * stride. One workgroup for each row.
 */
export function softmaxStep(
  device: Device,
  { scores, matrices, length, stride, window = noWindow }: SoftmaxOptions,
): Step {
  return makeStep(device, {
    code: softmaxCode,
    numbers: [length, stride, window],
    buffers: [scores],
    workgroups: [length, matrices, 1],
  });
}

/** What {@linkcode softmaxGradientStep} is given beside the shares. */
export interface SoftmaxGradientOptions extends SoftmaxOptions {
  /** The gradient by the shares; that by the scores takes its place, zeros where none is. */
  readonly gradient: Binding;
}

/** The gradient of {@linkcode softmaxStep}, whose result `scores` is here: P ∘ (dP - rowsum(P ∘ dP)). */
export function softmaxGradientStep(
  device: Device,
  { scores, gradient, matrices, length, stride, window = noWindow }: SoftmaxGradientOptions,
): Step {
  return makeStep(device, {
    code: softmaxGradientCode,
    numbers: [length, stride, window],
    buffers: [scores, gradient],
    workgroups: [length, matrices, 1],
  });
}

const softmaxCode = `
struct Numbers { length: u32, stride: u32, window: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read_write> scores: array<f32>;
${reduction("greatest", "max(a, b)")}
${reduction("total", "a + b")}

@compute @workgroup_size(${rowThreads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = group.x;
  let first = (group.y * numbers.length + row) * numbers.stride;
  let begin = select(0u, row + 1u - numbers.window, row + 1u > numbers.window);
  var largest = -3.0e38;
  for (var i = begin + thread; i <= row; i += ${rowThreads}u) { largest = max(largest, scores[first + i]); }
  largest = greatest(thread, largest);
  var sum = 0.0;
  for (var i = begin + thread; i <= row; i += ${rowThreads}u) {
    let share = exp(scores[first + i] - largest);
    scores[first + i] = share;
    sum += share;
  }
  sum = total(thread, sum);
  for (var i = begin + thread; i <= row; i += ${rowThreads}u) { scores[first + i] /= sum; }
  for (var i = thread; i < begin; i += ${rowThreads}u) { scores[first + i] = 0.0; }
  for (var i = row + 1u + thread; i < numbers.stride; i += ${rowThreads}u) { scores[first + i] = 0.0; }
}
`;

const softmaxGradientCode = `
struct Numbers { length: u32, stride: u32, window: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> shares: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;
${reduction("total", "a + b")}

@compute @workgroup_size(${rowThreads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = group.x;
  let first = (group.y * numbers.length + row) * numbers.stride;
  let begin = select(0u, row + 1u - numbers.window, row + 1u > numbers.window);
  var sum = 0.0;
  for (var i = begin + thread; i <= row; i += ${rowThreads}u) { sum += shares[first + i] * gradient[first + i]; }
  sum = total(thread, sum);
  for (var i = begin + thread; i <= row; i += ${rowThreads}u) {
    gradient[first + i] = shares[first + i] * (gradient[first + i] - sum);
  }
  for (var i = thread; i < begin; i += ${rowThreads}u) { gradient[first + i] = 0.0; }
  for (var i = row + 1u + thread; i < numbers.stride; i += ${rowThreads}u) { gradient[first + i] = 0.0; }
}
`;
