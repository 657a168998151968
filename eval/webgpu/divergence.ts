import type { Device } from "./device.ts";
import { type Binding, makeStep, real, type Step } from "./program.ts";
import { reduction } from "./reduce_code.ts";
import { divergenceTermCode } from "./score.ts";

/** What {@linkcode divergenceStep} is given. */
export interface DivergenceOptions {
  /** Logits of the original, `[rows, stride]`. */
  readonly original: Binding;
  /** Logits of the other model; the gradient by the product that gave them takes their place. */
  readonly logits: Binding;
  readonly rows: number;
  readonly vocabularySize: number;
  readonly stride: number;
  /** Factor of the head's product in the logits; 1 if omitted. */
  readonly scale?: number | undefined;
  /** The cap of the logits, if there is one. */
  readonly cap?: number | undefined;
  /** Where the rows' divergences go, from a place on. */
  readonly divergences: Binding;
  readonly firstPlace: number;
}

/**
 * The divergence of a model's predictions from the original's, and its gradient: one workgroup for
 * each row.
 */
export function divergenceStep(device: Device, options: DivergenceOptions): Step {
  const { original, logits, rows, vocabularySize, stride, scale = 1, cap } = options;
  return makeStep(device, {
    code: divergenceCode(cap !== undefined),
    numbers: [vocabularySize, stride, options.firstPlace, real(scale), real(cap ?? 1)],
    buffers: [original, logits, options.divergences],
    workgroups: [rows, 1, 1],
  });
}

const threads = 256;

function logSum(name: string, values: string): string {
  return `
  var largest${name} = -3.4e38;
  for (var i = thread; i < size; i += ${threads}u) { largest${name} = max(largest${name}, ${values}[first + i]); }
  largest${name} = greatest(thread, largest${name});
  var sum${name} = 0.0;
  for (var i = thread; i < size; i += ${threads}u) { sum${name} += exp(${values}[first + i] - largest${name}); }
  let logSum${name} = log(total(thread, sum${name}));`;
}

function divergenceCode(capped: boolean): string {
  const slope = capped
    ? "numbers.scale * (1.0 - (value / numbers.cap) * (value / numbers.cap))"
    : "numbers.scale";
  return `
struct Numbers { size: u32, stride: u32, firstPlace: u32, scale: f32, cap: f32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> original: array<f32>;
@group(0) @binding(2) var<storage, read_write> logits: array<f32>;
@group(0) @binding(3) var<storage, read_write> divergences: array<f32>;
${divergenceTermCode}
${reduction("greatest", "max(a, b)", threads)}
${reduction("total", "a + b", threads)}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let size = numbers.size;
  let first = group.x * numbers.stride;
  ${logSum("A", "original")}
  ${logSum("B", "logits")}
  var sum = 0.0;
  for (var i = thread; i < size; i += ${threads}u) {
    let value = logits[first + i];
    let logP = original[first + i] - largestA - logSumA;
    let logQ = value - largestB - logSumB;
    sum += divergenceTerm(logP, logQ);
    logits[first + i] = ${slope} * (exp(logQ) - exp(logP));
  }
  let divergence = total(thread, sum);
  if (thread == 0u) { divergences[numbers.firstPlace + group.x] = divergence; }
}
`;
}
