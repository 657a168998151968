import type { RotaryDescription } from "../architectures/description.ts";
import { rotaryFrequencies } from "../layers/rotary_frequencies.ts";
import type { Device } from "./device.ts";
import { type Binding, makeStep, real, type Step } from "./program.ts";
import { reduction } from "./reduce_code.ts";

/** What {@linkcode placeHeadsStep} is given. */
export interface PlaceHeadsOptions {
  /** `[tokens, width]`; some heads of it are changed in place. */
  readonly states: Binding;
  readonly tokens: number;
  readonly width: number;
  /** Tokens of a sequence. */
  readonly length: number;
  readonly headSize: number;
  /** Number of heads that are changed. */
  readonly heads: number;
  /** Feature with which the first of them begins. */
  readonly start: number;
  /** Features from one of them to the next. */
  readonly stride: number;
  /** Rotation, with its tables as {@linkcode rotationTable} gives them. */
  readonly rotary?: { readonly dimensions: number; readonly table: Binding } | undefined;
  /** Root-mean-square normalization before it. */
  readonly norm?: { readonly weight: Binding; readonly epsilon: number } | undefined;
}

/** Normalizes and rotates queries or keys: one workgroup for each head of each token. */
export function placeHeadsStep(device: Device, options: PlaceHeadsOptions): Step {
  const { states, tokens, width, length, headSize, heads, start, stride, rotary, norm } = options;
  return makeStep(device, {
    code: placeCode(rotary !== undefined, norm !== undefined),
    numbers: [
      width,
      length,
      headSize,
      start,
      stride,
      (rotary?.dimensions ?? 0) / 2,
      tokens,
      real(norm?.epsilon ?? 0),
    ],
    buffers: [states, rotary?.table, norm?.weight].filter((buffer) => buffer !== undefined),
    workgroups: [Math.min(tokens, 32768), Math.ceil(tokens / 32768), heads],
  });
}

/** The longest head. */
export const largestHead = 512;

const threads = 64;

function placeCode(rotates: boolean, norms: boolean): string {
  return `
struct Numbers {
  width: u32, length: u32, headSize: u32, start: u32, stride: u32, pairs: u32, tokens: u32,
  epsilon: f32,
}
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read_write> states: array<f32>;
${rotates ? "@group(0) @binding(2) var<storage, read> angles: array<vec2<f32>>;" : ""}
${norms ? `@group(0) @binding(${rotates ? 3 : 2}) var<storage, read> weight: array<f32>;` : ""}
var<workgroup> head: array<f32, ${largestHead}>;
${norms ? reduction("total", "a + b", threads) : ""}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let token = group.x + group.y * 32768u;
  if (token >= numbers.tokens) { return; }
  let size = numbers.headSize;
  let first = token * numbers.width + numbers.start + group.z * numbers.stride;
  ${
    norms
      ? `var squares = 0.0;
  for (var i = thread; i < size; i += ${threads}u) { squares += states[first + i] * states[first + i]; }
  let inverse = inverseSqrt(total(thread, squares) / f32(size) + numbers.epsilon);`
      : ""
  }
  for (var i = thread; i < size; i += ${threads}u) {
    head[i] = states[first + i]${norms ? " * inverse * weight[i]" : ""};
  }
  workgroupBarrier();
  for (var i = thread; i < size; i += ${threads}u) {
    ${
    rotates
      ? `let pairs = numbers.pairs;
    var value = head[i];
    if (i < 2u * pairs) {
      let angle = angles[token % numbers.length * pairs + i % pairs];
      let other = select(head[i % pairs], -head[i % pairs + pairs], i < pairs);
      value = value * angle.x + other * angle.y;
    }
    states[first + i] = value;`
      : "states[first + i] = head[i];"
  }
  }
}
`;
}

/**
 * Cosines and sines by position and pair of features, `[length, dimensions / 2, 2]`, for sequences
 * of that length.
 */
export function rotationTable(rotary: RotaryDescription, length: number): Float32Array {
  const frequencies = rotaryFrequencies(rotary, length);
  const { attentionFactor = 1 } = rotary;
  const table = new Float32Array(2 * length * frequencies.length);
  let at = 0;
  for (let position = 0; position < length; position++) {
    for (const frequency of frequencies) {
      table[at++] = attentionFactor * Math.cos(position * frequency);
      table[at++] = attentionFactor * Math.sin(position * frequency);
    }
  }
  return table;
}
