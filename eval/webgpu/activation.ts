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
    workgroups: workgroupsOf(rows, size),
  });
}

const threads = 128;

/** Functions of the vector `x` in WGSL, and their derivatives. */
interface ActivationCode {
  readonly value: string;
  readonly slope: string;
}

/** x σ(f(x)). */
function gateOfItself(inner: string, innerSlope: string): ActivationCode {
  const sigmoid = `(1.0 / (1.0 + exp(-(${inner}))))`;
  return {
    value: `x * ${sigmoid}`,
    slope: `${sigmoid} * (1.0 + x * (1.0 - ${sigmoid}) * (${innerSlope}))`,
  };
}

const geluTanh = gateOfItself(
  "1.5957691216057308 * (x + 0.044715 * x * x * x)",
  "1.5957691216057308 * (1.0 + 0.134145 * x * x)",
);
const silu = gateOfItself("x", "1.0");

const activations: Readonly<Record<ActivationName, ActivationCode>> = {
  gelu: {
    value: "0.5 * x * (1.0 + errorFunction(0.7071067811865476 * x))",
    slope: "0.5 * (1.0 + errorFunction(0.7071067811865476 * x)) + " +
      "0.3989422804014327 * x * exp(-0.5 * x * x)",
  },
  gelu_fast: geluTanh,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  quick_gelu: gateOfItself("1.702 * x", "1.702"),
  relu: { value: "max(x, vec4<f32>())", slope: "step(vec4(1.0e-38), x)" },
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

/** What {@linkcode activationGradientStep} is given. */
export interface ActivationGradientOptions {
  readonly name: ActivationName;
  /** What the activation was given; its gradient takes that place. */
  readonly input: Binding;
  /** The gradient by what it gave, `[rows, size]`. */
  readonly gradient: Binding;
  readonly rows: number;
  /** A multiple of 4. */
  readonly size: number;
  readonly gated: boolean;
}

/** The gradient of {@linkcode activationStep} by its input. */
export function activationGradientStep(
  device: Device,
  { name, input, gradient, rows, size, gated }: ActivationGradientOptions,
): Step {
  return makeStep(device, {
    code: activationGradientCode(name, gated),
    numbers: [rows, size / 4],
    buffers: [gradient, input],
    workgroups: workgroupsOf(rows, size),
  });
}

function workgroupsOf(rows: number, size: number): [number, number, number] {
  return [Math.ceil(size / 4 / threads), Math.min(rows, 32768), Math.ceil(rows / 32768)];
}

function frame(name: ActivationName, buffers: readonly string[], body: string): string {
  const { value, slope } = activations[name];
  return `
struct Numbers { rows: u32, size: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> ${buffers[0]}: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> ${buffers[1]}: array<vec4<f32>>;
${name === "gelu" ? errorFunction : ""}
fn activate(x: vec4<f32>) -> vec4<f32> { return ${value}; }
fn slope(x: vec4<f32>) -> vec4<f32> { return ${slope}; }

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y + id.z * 32768u;
  let size = numbers.size;
  if (id.x >= size || row >= numbers.rows) { return; }
  let at = row * size + id.x;
  let gate = 2u * row * size + id.x;
  ${body}
}
`;
}

function activationCode(name: ActivationName, gated: boolean): string {
  return frame(
    name,
    ["input", "output"],
    gated
      ? "output[at] = activate(input[gate]) * input[gate + size];"
      : "output[at] = activate(input[at]);",
  );
}

function activationGradientCode(name: ActivationName, gated: boolean): string {
  return frame(
    name,
    ["gradient", "input"],
    gated
      ? `let x = input[gate];
  input[gate] = gradient[at] * input[gate + size] * slope(x);
  input[gate + size] = gradient[at] * activate(x);`
      : "input[at] = gradient[at] * slope(input[at]);",
  );
}
