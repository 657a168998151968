import type { TransformerDescription } from "../architectures/description.ts";
import type { Device } from "./device.ts";
import { type Binding, makeStep, real, type Step } from "./program.ts";

const threads = 128;
/** Threads of all workgroups along the first axis. */
const width = 32768 * threads;

/** A program that runs once for four numbers each, `x` of the input and `y` of the output. */
function elementwiseStep(
  device: Device,
  input: Binding | undefined,
  output: Binding,
  count: number,
  { body, factor = 1, cap = 1 }: { body: string; factor?: number; cap?: number },
): Step {
  const groups = Math.ceil(count / 4 / threads);
  return makeStep(device, {
    code: `
struct Numbers { count: u32, factor: f32, cap: f32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read_write> output: array<vec4<f32>>;
${input === undefined ? "" : "@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;"}

/** Beyond 10 it is 1 in float32, where exponentials could be infinite. */
fn bounded(x: vec4<f32>) -> vec4<f32> {
  return tanh(clamp(numbers.factor * x / numbers.cap, vec4(-10.0), vec4(10.0)));
}

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = id.x + id.y * ${width}u;
  if (at >= numbers.count) { return; }
  let y = output[at];
  ${input === undefined ? "" : "let x = input[at];"}
  output[at] = ${body};
}
`,
    numbers: [Math.ceil(count / 4), real(factor), real(cap)],
    buffers: [output, ...(input === undefined ? [] : [input])],
    workgroups: [Math.min(groups, 32768), Math.ceil(groups / 32768), 1],
  });
}

/** Adds `count` numbers times a factor to others. */
export function addScaledStep(
  device: Device,
  input: Binding,
  output: Binding,
  count: number,
  factor: number,
): Step {
  return elementwiseStep(device, input, output, count, {
    body: "y + numbers.factor * x",
    factor,
  });
}

/** Replaces `count` numbers by `cap * tanh(factor * x / cap)`, or by `factor * x` without a cap. */
export function softCapStep(
  device: Device,
  values: Binding,
  count: number,
  cap: number | undefined,
  factor = 1,
): Step {
  return elementwiseStep(device, undefined, values, count, {
    body: cap === undefined ? "numbers.factor * y" : "numbers.cap * bounded(y)",
    factor,
    ...(cap !== undefined && { cap }),
  });
}

/**
 * Multiplies a gradient by that of {@linkcode softCapStep} at `values`, which were not capped yet;
 * where the gradient is 0, it stays so, whatever is there.
 */
export function softCapGradientStep(
  device: Device,
  values: Binding,
  gradient: Binding,
  count: number,
  cap: number,
): Step {
  return elementwiseStep(device, values, gradient, count, {
    body: "select(y * (1.0 - bounded(x) * bounded(x)), vec4<f32>(), y == vec4<f32>())",
    cap,
  });
}

/** Turns `count` results of the head's product into logits, where that takes a factor or a cap. */
export function finishLogitsSteps(
  device: Device,
  { logitScale, logitSoftCap }: TransformerDescription,
  logits: Binding,
  count: number,
): Step[] {
  return logitScale === undefined && logitSoftCap === undefined
    ? []
    : [softCapStep(device, logits, count, logitSoftCap, logitScale)];
}
