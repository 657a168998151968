import type { ActivationName } from "../architectures/activation_names.ts";
import type { Device } from "./device.ts";
import { type Binding, makeStep, type Step } from "./program.ts";

/** What {@linkcode activationStep} is given. */
export interface ActivationOptions {
  readonly name: ActivationName;
  /** `[rows, size]`; with a gate `[rows, 2 * size]`, the gate's product first. */
  readonly input: Binding;
  /** `[rows, size]`. */
  readonly output: Binding;
  readonly rows: number;
  /** A multiple of 4. */
  readonly size: number;
  readonly gated: boolean;
}

/** act(x), or act(gate) * up. */
export function activationStep(
  device: Device,
  { name, input, output, rows, size, gated }: ActivationOptions,
): Step {
  return makeStep(device, {
    code: activationCode(name, gated),
    numbers: [rows, size / 4],
    buffers: [input, output],
    workgroups: [Math.ceil(size / 4 / threads), Math.min(rows, 32768), Math.ceil(rows / 32768)],
  });
}

const threads = 128;

const geluTanh = "x / (1.0 + exp(-1.5957691216057308 * (x + 0.044715 * x * x * x)))";
const silu = "x / (1.0 + exp(-x))";

/** WGSL of each activation function of the vector `x`. */
const activations: Readonly<Record<ActivationName, string>> = {
  gelu: "0.5 * x * (1.0 + errorFunction(0.7071067811865476 * x))",
  gelu_fast: geluTanh,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  quick_gelu: "x / (1.0 + exp(-1.702 * x))",
  relu: "max(x, vec4<f32>())",
  silu,
  swish: silu,
};

/** The polynomial of Abramowitz and Stegun, 7.1.26, within 1.5e-7, as tfjs takes it. */
const errorFunction = `
fn errorFunction(x: vec4<f32>) -> vec4<f32> {
  let t = 1.0 / (1.0 + 0.3275911 * abs(x));
  let sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return sign(x) * (1.0 - sum * exp(-x * x));
}`;

function activationCode(name: ActivationName, gated: boolean): string {
  return `
struct Numbers { rows: u32, size: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;
${name === "gelu" ? errorFunction : ""}
fn activate(x: vec4<f32>) -> vec4<f32> {
  return ${activations[name]};
}

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y + id.z * 32768u;
  let size = numbers.size;
  if (id.x >= size || row >= numbers.rows) { return; }
  ${
    gated
      ? `let at = 2u * row * size + id.x;
  output[row * size + id.x] = activate(input[at]) * input[at + size];`
      : `let at = row * size + id.x;
  output[at] = activate(input[at]);`
  }
}
`;
}
