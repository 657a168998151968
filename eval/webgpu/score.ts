import type { Device } from "./device.ts";
import { type Binding, makeStep, type Step } from "./program.ts";
import { reduction } from "./reduce_code.ts";

/** What {@linkcode scoreStep} is given. */
export interface ScoreOptions {
  /** Logits of the original and perhaps the compressed model, `[rows, stride]`. */
  readonly logits: readonly Binding[];
  readonly rows: number;
  readonly vocabularySize: number;
  readonly stride: number;
  /** The token that came, u32, one for each row of all blocks. */
  readonly labels: Binding;
  /** Where scores go: {@linkcode scoreWidth} u32 or f32 for each row of all blocks. */
  readonly scores: Binding;
  /** Number of the first row among those of all blocks. */
  readonly firstRow: number;
}

/**
 * Numbers of a row's score: negative log-likelihood and likeliest token of the original, the same of
 * the compressed model, and the divergence; padded, 32 bytes.
 */
export const scoreWidth = 8;

/** Scores predictions by their logits: one workgroup for each row. */
export function scoreStep(
  device: Device,
  { logits, rows, vocabularySize, stride, labels, scores, firstRow }: ScoreOptions,
): Step {
  return makeStep(device, {
    code: scoreCode(logits.length > 1),
    numbers: [vocabularySize, stride, firstRow],
    buffers: [labels, scores, ...logits],
    workgroups: [rows, 1, 1],
  });
}

const threads = 256;

function summary(name: string, values: string): string {
  return `
  var top${name} = 0u;
  var largest${name} = -3.4e38;
  for (var i = thread; i < size; i += ${threads}u) {
    let value = ${values}[first + i];
    if (value > largest${name}) { largest${name} = value; top${name} = i; }
  }
  let most${name} = greatest(thread, largest${name});
  // The first of those that are equally large, as elsewhere.
  top${name} = least(thread, select(0xffffffffu, top${name}, largest${name} == most${name}));
  var sum${name} = 0.0;
  for (var i = thread; i < size; i += ${threads}u) { sum${name} += exp(${values}[first + i] - most${name}); }
  let logSum${name} = log(total(thread, sum${name}));
  let label${name} = (most${name} - ${values}[first + label]) + logSum${name};`;
}

/**
 * WGSL of a term of the divergence Σ p (log p - log q), which is summed as Σ p (q / p - 1 - log (q / p)):
 * all terms are positive, so that nothing cancels where both models are close. With
 * d = log p - log q, a series gives e^-d - 1 + d where d is small.
 */
export const divergenceTermCode = `
fn divergenceTerm(logP: f32, logQ: f32) -> f32 {
  let d = logP - logQ;
  let p = exp(logP);
  if (abs(d) < 0.25) {
    return p * d * d * (0.5 - d * (1.0 / 6.0 - d * (1.0 / 24.0 - d * (1.0 / 120.0 - d *
      (1.0 / 720.0 - d / 5040.0)))));
  }
  return exp(logQ) - p + p * d;
}`;

function scoreCode(two: boolean): string {
  return `
struct Numbers { size: u32, stride: u32, firstRow: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> scores: array<u32>;
@group(0) @binding(3) var<storage, read> original: array<f32>;
${two ? "@group(0) @binding(4) var<storage, read> compressed: array<f32>;" : ""}
${two ? divergenceTermCode : ""}
${reduction("greatest", "max(a, b)", threads)}
${reduction("least", "min(a, b)", threads, "u32")}
${reduction("total", "a + b", threads)}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let size = numbers.size;
  let first = group.x * numbers.stride;
  let row = numbers.firstRow + group.x;
  let label = labels[row];
  ${summary("A", "original")}
  ${
    two
      ? `${summary("B", "compressed")}
  var sum = 0.0;
  for (var i = thread; i < size; i += ${threads}u) {
    let logP = original[first + i] - mostA - logSumA;
    let logQ = compressed[first + i] - mostB - logSumB;
    sum += divergenceTerm(logP, logQ);
  }
  let divergence = total(thread, sum);`
      : ""
  }
  if (thread == 0u) {
    let at = row * ${scoreWidth}u;
    scores[at] = bitcast<u32>(labelA);
    scores[at + 1u] = topA;
    ${
    two
      ? `scores[at + 2u] = bitcast<u32>(labelB);
    scores[at + 3u] = topB;
    scores[at + 4u] = bitcast<u32>(divergence);`
      : ""
  }
  }
}
`;
}
