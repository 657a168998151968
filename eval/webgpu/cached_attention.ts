import type { AttentionDescription } from "../architectures/description.ts";
import { headPlaces } from "./attention_steps.ts";
import type { LayerRun } from "./layer_run.ts";
import { noWindow } from "./product.ts";
import { type Binding, makeStep, real, type Step } from "./program.ts";
import { reduction, rowThreads } from "./reduce_code.ts";

/** Keys and values of one layer, `[capacity, sequences, keyValueHeads * headSize]` each. */
export interface LayerCache {
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
}

/** What attention to tokens that were read before takes. */
export interface CachedAttention {
  readonly cache: LayerCache;
  /** Tokens that were read before, u32. */
  readonly past: Binding;
  /** Room for `[tokens, heads, capacity]`. */
  readonly scores: GPUBuffer;
  /** Tokens of each sequence that the cache has room for. */
  readonly capacity: number;
}

/** Appends the keys and values of the tokens that are read to the cache. */
export function appendStep(
  { device, workspace: { projected }, sequences: { batch, length } }: LayerRun,
  attention: AttentionDescription,
  { cache, past }: CachedAttention,
): Step {
  const { keyValueHeads, headSize } = attention;
  const { key, value, width } = headPlaces(attention);
  const quads = headSize / 4;
  return makeStep(device, {
    code: appendCode,
    numbers: [
      batch,
      length,
      keyValueHeads,
      quads,
      ...[width, key.start, key.stride, value.start, value.stride].map((place) => place / 4),
    ],
    buffers: [projected, cache.keys, cache.values, past],
    workgroups: [Math.ceil(keyValueHeads * quads / appendThreads), batch * length, 1],
  });
}

/** Attention of each head of each token to all tokens before it, as far as it sees. */
export function cachedAttentionStep(
  { device, workspace: { projected, attended }, sequences: { batch, length } }: LayerRun,
  attention: AttentionDescription,
  { cache, past, scores, capacity }: CachedAttention,
): Step {
  const { heads, keyValueHeads, headSize, scale, softCap, slidingWindow = noWindow } = attention;
  const { query, width } = headPlaces(attention);
  return makeStep(device, {
    code: attentionCode(softCap !== undefined),
    numbers: [
      batch,
      length,
      capacity,
      keyValueHeads,
      heads / keyValueHeads,
      ...[headSize, width, query.start, query.stride].map((place) => place / 4),
      slidingWindow,
      real(scale),
      real(softCap ?? 1),
    ],
    buffers: [projected, cache.keys, cache.values, past, scores, attended],
    workgroups: [batch * length, heads, 1],
  });
}

const appendThreads = 64;

const appendCode = `
struct Numbers {
  batch: u32, length: u32, heads: u32, quads: u32, width: u32, keyStart: u32, keyStride: u32,
  valueStart: u32, valueStride: u32,
}
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> projected: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> keys: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> past: array<u32>;

@compute @workgroup_size(${appendThreads})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let size = numbers.heads * numbers.quads;
  if (id.x >= size) { return; }
  let head = id.x / numbers.quads;
  let quad = id.x % numbers.quads;
  let position = past[0] + id.y % numbers.length;
  let to = (position * numbers.batch + id.y / numbers.length) * size + id.x;
  let source = id.y * numbers.width + quad;
  keys[to] = projected[source + numbers.keyStart + head * numbers.keyStride];
  values[to] = projected[source + numbers.valueStart + head * numbers.valueStride];
}
`;

/** The most quads of features that a head has: see `largestHead`. */
const mostQuads = 128;

function attentionCode(capped: boolean): string {
  return `
struct Numbers {
  batch: u32, length: u32, capacity: u32, keyHeads: u32, group: u32, quads: u32, width: u32,
  queryStart: u32, queryStride: u32, window: u32, scale: f32, cap: f32,
}
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> projected: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> keys: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> past: array<u32>;
@group(0) @binding(5) var<storage, read_write> scores: array<f32>;
@group(0) @binding(6) var<storage, read_write> attended: array<vec4<f32>>;
var<workgroup> query: array<vec4<f32>, ${mostQuads}>;
var<workgroup> found: array<vec4<f32>, ${rowThreads}>;
${reduction("greatest", "max(a, b)")}
${reduction("total", "a + b")}

@compute @workgroup_size(${rowThreads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = group.x;
  let head = group.y;
  let heads = numbers.keyHeads * numbers.group;
  let quads = numbers.quads;
  let last = past[0] + row % numbers.length;
  let begin = select(0u, last + 1u - numbers.window, last + 1u > numbers.window);
  let source = row * numbers.width + numbers.queryStart + head * numbers.queryStride;
  for (var i = thread; i < quads; i += ${rowThreads}u) { query[i] = projected[source + i]; }
  workgroupBarrier();
  // From one position's key of this head to the next.
  let perPosition = numbers.batch * numbers.keyHeads * quads;
  let place = (row / numbers.length * numbers.keyHeads + head / numbers.group) * quads;
  let first = (row * heads + head) * numbers.capacity;
  var largest = -3.0e38;
  for (var k = begin + thread; k <= last; k += ${rowThreads}u) {
    var sum = vec4<f32>();
    for (var i = 0u; i < quads; i++) { sum = fma(query[i], keys[k * perPosition + place + i], sum); }
    var score = numbers.scale * (sum.x + sum.y + sum.z + sum.w);
    ${capped ? "score = numbers.cap * tanh(clamp(score / numbers.cap, -10.0, 10.0));" : ""}
    scores[first + k] = score;
    largest = max(largest, score);
  }
  largest = greatest(thread, largest);
  var sum = 0.0;
  for (var k = begin + thread; k <= last; k += ${rowThreads}u) {
    let share = exp(scores[first + k] - largest);
    scores[first + k] = share;
    sum += share;
  }
  sum = total(thread, sum);
  storageBarrier();
  let lanes = ${rowThreads}u / quads;
  let quad = thread % quads;
  var mixed = vec4<f32>();
  if (thread < lanes * quads) {
    for (var k = begin + thread / quads; k <= last; k += lanes) {
      mixed = fma(vec4(scores[first + k]), values[k * perPosition + place + quad], mixed);
    }
  }
  found[thread] = mixed;
  workgroupBarrier();
  if (thread < quads) {
    for (var lane = 1u; lane < lanes; lane++) { mixed += found[lane * quads + thread]; }
    attended[(row * heads + head) * quads + thread] = mixed / sum;
  }
}
`;
}
