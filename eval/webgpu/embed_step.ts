import type { TransformerDescription } from "../architectures/description.ts";
import type { Device } from "./device.ts";
import type { ModelBuffers, WeightMatrix } from "./model_weights.ts";
import { scalesOf } from "./product.ts";
import { type Binding, makeStep, real, type Step } from "./program.ts";
import { readRight, rightArray, type RightType, scalesBinding } from "./right_operand.ts";

/** The embedding, where it is the head too and the device has all of it in one matrix. */
export function embeddingOnDevice(
  model: TransformerDescription,
  { head }: Pick<ModelBuffers, "head">,
): WeightMatrix | undefined {
  return model.tokenEmbedding === model.head.weight && head.length === 1
    ? head[0]!.matrix
    : undefined;
}

/** What {@linkcode embedStep} is given. */
export interface EmbedOptions {
  /** `[vocabularySize, hiddenSize]`. */
  readonly matrix: WeightMatrix;
  readonly tokens: number;
  /** Number of each token. */
  readonly ids: Binding;
  /** Their rows are added to it, `[tokens, hiddenSize]`. */
  readonly output: Binding;
  readonly hiddenSize: number;
  /** Factor of the rows. */
  readonly scale: number;
}

/** Threads of a workgroup, each of which brings four values. */
const threads = 64;

/** Adds the rows of tokens. */
export function embedStep(device: Device, options: EmbedOptions): Step {
  const { matrix, tokens, ids, output, hiddenSize, scale } = options;
  const { type = "f32", sparse, buffer } = matrix;
  return makeStep(device, {
    code: embedCode(type, sparse !== undefined),
    numbers: [hiddenSize / 4, real(scale)],
    buffers: [
      buffer,
      ids,
      output,
      ...scalesOf(matrix),
      ...(sparse === undefined ? [] : [sparse.starts, sparse.entries]),
    ],
    workgroups: [Math.ceil(hiddenSize / 4 / threads), tokens, 1],
  });
}

function embedCode(type: RightType, hasSparse: boolean): string {
  return `
struct Numbers { width: u32, scale: f32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> rows: ${rightArray(type)};
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>;
${scalesBinding(type, 4)}
${
    hasSparse
      ? `@group(0) @binding(5) var<storage, read> starts: array<u32>;
@group(0) @binding(6) var<storage, read> entries: array<vec2<u32>>;`
      : ""
  }
${readRight(type, "rows")}

@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) place: vec3<u32>) {
  let quad = place.x;
  if (quad >= numbers.width) { return; }
  let id = ids[place.y];
  var values = readRight(id * numbers.width + quad, id, quad);
  ${
    hasSparse
      ? `let end = starts[id + 1u];
  for (var at = starts[id]; at < end; at++) {
    let entry = entries[at];
    if (entry.x / 4u != quad) { continue; }
    let inside = vec4(entry.x % 4u) == vec4(0u, 1u, 2u, 3u);
    values += select(vec4<f32>(), bitcast<f32>(entry.y) * scalesOf(id, quad), inside);
  }`
      : ""
  }
  output[place.y * numbers.width + quad] += numbers.scale * values;
}
`;
}
