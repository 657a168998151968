import type { Device } from "./device.ts";
import { type Binding, makeStep, type Step } from "./program.ts";
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
  /** A number from 0 to 1 for each row of all blocks, by which its label is drawn. */
  readonly draws: Binding;
  /** The drawn labels, u32. */
  readonly labels: Binding;
  /** Σ p (1 - p) of each row. */
  readonly energies: Binding;
  /** Σ p (1 - p) of each logit, over rows; it is added to. */
  readonly logitFisher: Binding;
}

/**
 * Draws a label for each row from the model itself, and differentiates the negative log-likelihood:
 * one program with a workgroup for each row, then one with a thread for each logit.
 */
export function sampledLossSteps(device: Device, options: SampledLossOptions): Step[] {
  const { logits, rows, vocabularySize, stride, firstRow } = options;
  const { draws, labels, energies, logitFisher } = options;
  return [
    makeStep(device, {
      code: drawCode,
      numbers: [vocabularySize, stride, firstRow],
      buffers: [logits, draws, labels, energies],
      workgroups: [rows, 1, 1],
    }),
    makeStep(device, {
      code: gradientCode,
      numbers: [vocabularySize, stride, firstRow, rows],
      buffers: [logits, labels, logitFisher],
      workgroups: [Math.ceil(vocabularySize / gradientThreads), 1, 1],
    }),
  ];
}

const threads = 256;

/**
 * Each thread sums a stretch of the row; the thread in whose stretch the sum passes the drawn share
 * finds the label there. Rounding may leave no such thread: then it is the last label of positive
 * probability.
 */
const drawCode = `
struct Numbers { size: u32, stride: u32, firstRow: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read_write> logits: array<f32>;
@group(0) @binding(2) var<storage, read> draws: array<f32>;
@group(0) @binding(3) var<storage, read_write> labels: array<u32>;
@group(0) @binding(4) var<storage, read_write> energies: array<f32>;
${reduction("greatest", "max(a, b)", threads)}
${reduction("total", "a + b", threads)}
${reduction("last", "max(a, b)", threads, "u32")}
var<workgroup> starts: array<f32, ${threads + 1}>;
var<workgroup> drawn: u32;

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
  var lastSeen = 0u;
  for (var i = begin; i < end; i++) {
    let share = exp(logits[first + i] - largest);
    logits[first + i] = share;
    own += share;
    if (share > 0.0) { lastSeen = i; }
  }
  starts[thread + 1u] = own;
  lastSeen = last(thread, lastSeen);
  if (thread == 0u) {
    drawn = lastSeen;
    starts[0] = 0.0;
    for (var i = 0u; i < ${threads}u; i++) { starts[i + 1u] += starts[i]; }
  }
  workgroupBarrier();
  let sum = starts[${threads}];
  let wanted = draws[numbers.firstRow + group.x] * sum;
  if (starts[thread] <= wanted && wanted < starts[thread + 1u]) {
    var passed = starts[thread];
    var label = begin;
    for (var i = begin; i < end; i++) {
      if (passed <= wanted && logits[first + i] > 0.0) { label = i; }
      passed += logits[first + i];
    }
    drawn = label;
  }
  workgroupBarrier();
  var energy = 0.0;
  for (var i = begin; i < end; i++) {
    let share = logits[first + i] / sum;
    logits[first + i] = share;
    energy += share * (1.0 - share);
  }
  energy = total(thread, energy);
  if (thread == 0u) {
    labels[numbers.firstRow + group.x] = drawn;
    energies[numbers.firstRow + group.x] = energy;
  }
}
`;

const gradientThreads = 64;

const gradientCode = `
struct Numbers { size: u32, stride: u32, firstRow: u32, rows: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
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
    sum += share * (1.0 - share);
    if (labels[numbers.firstRow + row] == id.x) { shares[at] = share - 1.0; }
  }
  logitFisher[id.x] += sum;
}
`;
