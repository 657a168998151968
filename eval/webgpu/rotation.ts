import type { RotaryDescription } from "../architectures/description.ts";
import { rotaryFrequencies } from "../layers/rotary_frequencies.ts";
import type { Device } from "./device.ts";
import { type Binding, makeStep, real, type Step } from "./program.ts";
import { reduction } from "./reduce_code.ts";

/** A rotation by position. */
export interface Rotation {
  /** Leading features that are rotated. */
  readonly dimensions: number;
  /** What {@linkcode rotationTable} gives, on the device. */
  readonly table: Binding;
}

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
  /** The rotation, if there is one. */
  readonly rotary?: Rotation | undefined;
  /** Root-mean-square normalization before it. */
  readonly norm?: { readonly weight: Binding; readonly epsilon: number } | undefined;
}

/** What {@linkcode placeHeadsGradientStep} is given. */
export interface PlaceHeadsGradientOptions extends PlaceHeadsOptions {
  /** What was given to the norm, `[tokens, width]`, if there is one. */
  readonly before?: Binding;
  /**
   * Where the gradient by the norm's result, times what is normalized, is wanted:
   * `[tokens, heads, headSize]`.
   */
  readonly products?: Binding;
}

/** The gradient of {@linkcode placeHeadsStep}, in the place of that by its result. */
export function placeHeadsGradientStep(
  device: Device,
  options: PlaceHeadsGradientOptions,
): Step {
  const { states, rotary, norm, before, products } = options;
  return makeStep(device, {
    code: placeGradientCode(rotary !== undefined, norm !== undefined, products !== undefined),
    numbers: placeNumbers(options),
    buffers: [states, rotary?.table, norm?.weight, norm && before, norm && products]
      .filter((buffer) => buffer !== undefined),
    workgroups: placeWorkgroups(options),
  });
}

function placeNumbers(options: PlaceHeadsOptions) {
  const { tokens, width, length, headSize, heads, start, stride, rotary, norm } = options;
  const pairs = (rotary?.dimensions ?? 0) / 2;
  const epsilon = real(norm?.epsilon ?? 0);
  return [width, length, headSize, start, stride, pairs, tokens, heads, epsilon];
}

function placeWorkgroups({ tokens, heads }: PlaceHeadsOptions): [number, number, number] {
  return [Math.min(tokens, 32768), Math.ceil(tokens / 32768), heads];
}

/** Normalizes and rotates queries or keys: one workgroup for each head of each token. */
export function placeHeadsStep(device: Device, options: PlaceHeadsOptions): Step {
  const { states, rotary, norm } = options;
  return makeStep(device, {
    code: placeCode(rotary !== undefined, norm !== undefined),
    numbers: placeNumbers(options),
    buffers: [states, rotary?.table, norm?.weight].filter((buffer) => buffer !== undefined),
    workgroups: placeWorkgroups(options),
  });
}

/** The longest head. */
export const largestHead = 512;

const threads = 64;

/** What both programs begin with: `head` is a head's place, of which a thread has every 64th feature. */
function frame(
  rotates: boolean,
  norms: boolean,
  body: string,
  { back = false, products = false } = {},
): string {
  const binding = (name: string, number: number, access = "read") =>
    `@group(0) @binding(${
      rotates ? number + 1 : number
    }) var<storage, ${access}> ${name}: array<f32>;`;
  return `
struct Numbers {
  width: u32, length: u32, headSize: u32, start: u32, stride: u32, pairs: u32, tokens: u32,
  heads: u32, epsilon: f32,
}
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read_write> states: array<f32>;
${rotates ? "@group(0) @binding(2) var<storage, read> angles: array<vec2<f32>>;" : ""}
${norms ? binding("weight", 2) : ""}
${norms && back ? binding("before", 3) : ""}
${norms && products ? binding("products", 4, "read_write") : ""}
var<workgroup> head: array<f32, ${largestHead}>;
${norms ? reduction("total", "a + b", threads) : ""}

/** A feature of the head, rotated forward (1) or back (-1). */
fn rotated(token: u32, i: u32, direction: f32) -> f32 {
  ${
    rotates
      ? `let pairs = numbers.pairs;
  if (i >= 2u * pairs) { return head[i]; }
  let angle = angles[token % numbers.length * pairs + i % pairs];
  let other = select(head[i % pairs], -head[i % pairs + pairs], i < pairs);
  return head[i] * angle.x + direction * other * angle.y;`
      : "return head[i];"
  }
}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let token = group.x + group.y * 32768u;
  if (token >= numbers.tokens) { return; }
  let size = numbers.headSize;
  let first = token * numbers.width + numbers.start + group.z * numbers.stride;
  ${body}
}
`;
}

/** WGSL that runs for each feature of a thread. */
function eachFeature(text: string): string {
  return `for (var i = thread; i < size; i += ${threads}u) { ${text} }`;
}

function placeCode(rotates: boolean, norms: boolean): string {
  const inverse = `var squares = 0.0;
  ${eachFeature("squares += states[first + i] * states[first + i];")}
  let inverse = inverseSqrt(total(thread, squares) / f32(size) + numbers.epsilon);`;
  return frame(
    rotates,
    norms,
    `${norms ? inverse : ""}
  ${eachFeature(`head[i] = states[first + i]${norms ? " * inverse * weight[i]" : ""};`)}
  workgroupBarrier();
  ${eachFeature("states[first + i] = rotated(token, i, 1.0);")}`,
  );
}

function placeGradientCode(rotates: boolean, norms: boolean, products: boolean): string {
  const through = `var squares = 0.0;
  var along = 0.0;
  ${
    eachFeature(`let x = before[first + i];
    squares += x * x;
    along += x * weight[i] * rotated(token, i, -1.0);`)
  }
  let inverse = inverseSqrt(total(thread, squares) / f32(size) + numbers.epsilon);
  let share = total(thread, along) * inverse * inverse / f32(size);
  ${
    eachFeature(`${
      products
        ? `products[(token * numbers.heads + group.z) * size + i] =
      before[first + i] * inverse * rotated(token, i, -1.0);`
        : ""
    }
    states[first + i] =
      (weight[i] * rotated(token, i, -1.0) - before[first + i] * share) * inverse;`)
  }`;
  return frame(
    rotates,
    norms,
    `${eachFeature("head[i] = states[first + i];")}
  workgroupBarrier();
  ${norms ? through : eachFeature("states[first + i] = rotated(token, i, -1.0);")}`,
    { back: true, products },
  );
}

/**
 * Cosines and sines by position and pair of features, `[length, dimensions / 2, 2]`, for sequences
 * of that length, or for so many tokens from position `first` on.
 */
export function rotationTable(
  rotary: RotaryDescription,
  length: number,
  first = 0,
): Float32Array {
  const frequencies = rotaryFrequencies(rotary, first + length);
  const { attentionFactor = 1 } = rotary;
  const table = new Float32Array(2 * length * frequencies.length);
  let at = 0;
  for (let position = first; position < first + length; position++) {
    for (const frequency of frequencies) {
      table[at++] = attentionFactor * Math.cos(position * frequency);
      table[at++] = attentionFactor * Math.sin(position * frequency);
    }
  }
  return table;
}

/** Finds a rotation's table for sequences of some length; each is sent once. */
export function rotationTables(
  device: Device,
): (rotary: RotaryDescription, length: number) => GPUBuffer {
  const tables = new Map<string, GPUBuffer>();
  return (rotary, length) => {
    const key = JSON.stringify([rotary, length]);
    const known = tables.get(key);
    if (known !== undefined) return known;
    const values = rotationTable(rotary, length);
    const made = device.allocate(values.byteLength);
    device.write(made, values);
    tables.set(key, made);
    return made;
  };
}
