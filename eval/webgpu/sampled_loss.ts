import type { Device } from "./device.ts";
import { type Binding, makeStep, real, type Step } from "./program.ts";
import { reduction } from "./reduce_code.ts";

/** What {@linkcode sampledLossSteps} is given. */
export interface SampledLossOptions {
  /** `[rows, stride]`; the loss' gradient by the logits takes their place. */
  readonly logits: Binding;
  readonly rows: number;
  readonly vocabularySize: number;
  readonly stride: number;
  /** Number of the first row among those of all blocks. */
  readonly firstRow: number;
  /** A number u32 for each row of all blocks; its share of 2^32 is where its label is drawn. */
  readonly draws: Binding;
  /** The drawn labels, u32. */
  readonly labels: Binding;
  /** Σ p (1 - p) of each row; where logits are scaled or capped, times the square of their slope. */
  readonly energies: Binding;
  /** The same of each logit, over rows; it is added to. */
  readonly logitFisher: Binding;
  /** What was done to the head's product; the gradient is that by the product. */
  readonly finish?: {
    /** Factor of the product. */
    readonly scale: number;
    /** The cap of the logits, and a copy of them. */
    readonly cap?: { readonly value: number; readonly logits: Binding };
  };
}

/**
 * Draws a label for each row from the model itself, and differentiates the negative log-likelihood:
 * one program with a workgroup for each row, then one with a thread for each logit.
 */
export function sampledLossSteps(device: Device, options: SampledLossOptions): Step[] {
  const { logits, rows, vocabularySize, stride, firstRow, labels, logitFisher } = options;
  const { kind, slope, capped } = finishOf(options);
  return [
    drawLabelsStep(device, options),
    makeStep(device, {
      code: gradientCode(kind),
      numbers: [vocabularySize, stride, firstRow, rows, ...slope],
      buffers: [logits, labels, logitFisher, ...capped],
      workgroups: [Math.ceil(vocabularySize / gradientThreads), 1, 1],
    }),
  ];
}

/** Draws a label for each row, and leaves the softmax of its logits in their place. */
export function drawLabelsStep(
  device: Device,
  options: Omit<SampledLossOptions, "logitFisher">,
): Step {
  const { logits, rows, vocabularySize, stride, firstRow, draws, labels, energies } = options;
  const { kind, slope, capped } = finishOf(options);
  return makeStep(device, {
    code: drawCode(kind),
    numbers: [vocabularySize, stride, firstRow, 0, ...slope],
    buffers: [logits, draws, labels, energies, ...capped],
    workgroups: [rows, 1, 1],
  });
}

function finishOf({ finish }: Pick<SampledLossOptions, "finish">) {
  const kind: FinishKind = finish === undefined
    ? "plain"
    : finish.cap === undefined
    ? "scaled"
    : "capped";
  const slope = [real(finish?.scale ?? 1), real(finish?.cap?.value ?? 1)];
  return { kind, slope, capped: finish?.cap === undefined ? [] : [finish.cap.logits] };
}

const threads = 256;

/** How the logits came from the head's product. */
type FinishKind = "plain" | "scaled" | "capped";

/** WGSL for the slope of the logits by the head's product, and the numbers before it. */
function slopeCode(kind: FinishKind, binding: number): string {
  const numbers = `
struct Numbers { size: u32, stride: u32, firstRow: u32, rows: u32, scale: f32, cap: f32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;`;
  switch (kind) {
    case "plain":
      return `${numbers}
fn slopeAt(at: u32) -> f32 { return 1.0; }`;
    case "scaled":
      return `${numbers}
fn slopeAt(at: u32) -> f32 { return numbers.scale; }`;
    case "capped":
      return `${numbers}
@group(0) @binding(${binding}) var<storage, read> capped: array<f32>;
fn slopeAt(at: u32) -> f32 {
  let share = capped[at] / numbers.cap;
  return numbers.scale * (1.0 - share * share);
}`;
  }
}

/**
 * Each thread sums a stretch of the row; in one of them the sum passes the drawn share, and it finds
 * the label there. These sums are whole numbers of 64 bits: among 50,000 labels that are all about as
 * likely, float32's rounding would draw a neighbour for some rows of a thousand, and one such row can
 * be a tenth of a moment.
 */
const drawCode = (kind: FinishKind) => `
${slopeCode(kind, 5)}
@group(0) @binding(1) var<storage, read_write> logits: array<f32>;
@group(0) @binding(2) var<storage, read> draws: array<u32>;
@group(0) @binding(3) var<storage, read_write> labels: array<u32>;
@group(0) @binding(4) var<storage, read_write> energies: array<f32>;
${reduction("greatest", "max(a, b)", threads)}
${reduction("total", "a + b", threads)}
var<workgroup> starts: array<vec2<u32>, ${threads + 1}>;
var<workgroup> drawn: u32;

// Whole numbers of 64 bits: the low half, then the high one.
fn sumOf(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = a.x + b.x;
  return vec2(low, a.y + b.y + select(0u, 1u, low < a.x));
}
fn isLess(a: vec2<u32>, b: vec2<u32>) -> bool {
  return a.y < b.y || (a.y == b.y && a.x < b.x);
}
fn productOf(a: u32, b: u32) -> vec2<u32> {
  let middle = (a >> 16u) * (b & 0xffffu) + (((a & 0xffffu) * (b & 0xffffu)) >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return vec2(a * b, (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u));
}
fn wholeOf(share: f32) -> vec2<u32> { return vec2(u32(share * 2147483648.0 + 0.5), 0u); }

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let size = numbers.size;
  let first = group.x * numbers.stride;
  var largest = -3.4e38;
  for (var i = thread; i < size; i += ${threads}u) { largest = max(largest, logits[first + i]); }
  largest = greatest(thread, largest);
  let width = (size + ${threads - 1}u) / ${threads}u;
  let begin = min(size, thread * width);
  let end = min(size, begin + width);
  var own = 0.0;
  var ownWhole = vec2<u32>();
  for (var i = begin; i < end; i++) {
    let share = exp(logits[first + i] - largest);
    logits[first + i] = share;
    own += share;
    ownWhole = sumOf(ownWhole, wholeOf(share));
  }
  let sum = total(thread, own);
  starts[thread + 1u] = ownWhole;
  workgroupBarrier();
  if (thread == 0u) {
    drawn = 0u;
    starts[0] = vec2<u32>();
    for (var i = 0u; i < ${threads}u; i++) { starts[i + 1u] = sumOf(starts[i], starts[i + 1u]); }
  }
  workgroupBarrier();
  let whole = starts[${threads}];
  let draw = draws[numbers.firstRow + group.x];
  let wanted = sumOf(productOf(whole.y, draw), vec2(productOf(whole.x, draw).y, 0u));
  if (!isLess(wanted, starts[thread]) && isLess(wanted, starts[thread + 1u])) {
    var passed = starts[thread];
    var label = begin;
    for (; label + 1u < end; label++) {
      passed = sumOf(passed, wholeOf(logits[first + label]));
      if (isLess(wanted, passed)) { break; }
    }
    drawn = label;
  }
  workgroupBarrier();
  var energy = 0.0;
  for (var i = begin; i < end; i++) {
    let share = logits[first + i] / sum;
    logits[first + i] = share;
    let slope = slopeAt(first + i);
    energy += slope * slope * share * (1.0 - share);
  }
  energy = total(thread, energy);
  if (thread == 0u) {
    labels[numbers.firstRow + group.x] = drawn;
    energies[numbers.firstRow + group.x] = energy;
  }
}
`;

const gradientThreads = 64;

const gradientCode = (kind: FinishKind) => `
${slopeCode(kind, 4)}
@group(0) @binding(1) var<storage, read_write> shares: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> logitFisher: array<f32>;

@compute @workgroup_size(${gradientThreads})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= numbers.size) { return; }
  var sum = 0.0;
  for (var row = 0u; row < numbers.rows; row++) {
    let at = row * numbers.stride + id.x;
    let share = shares[at];
    let slope = slopeAt(at);
    sum += slope * slope * share * (1.0 - share);
    shares[at] = slope * (share - select(0.0, 1.0, labels[numbers.firstRow + row] == id.x));
  }
  logitFisher[id.x] += sum;
}
`;
