import type { Device } from "./device.ts";
import { type RightOperand, scalesOf } from "./product.ts";
import { type Binding, makeStep, type Step } from "./program.ts";
import { rowOfWorkgroup, rowWorkgroups } from "./reduce_code.ts";
import { isScaled, readRight, rightArray, type RightType, scalesBinding } from "./right_operand.ts";

/** Most rows of {@linkcode fewRowsProductStep}. */
export const fewRows = 8;

/** What {@linkcode fewRowsProductStep} is given. */
export interface FewRowsOptions {
  /** Rows of the input, at most {@linkcode fewRows}. */
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** `[rows, inner]`. */
  readonly input: Binding;
  /** The right operand of the product. */
  readonly matrix: RightOperand;
  /** `[rows, stride]`, of which columns from `start` on are written. */
  readonly output: Binding;
  readonly stride: number;
  readonly start?: number;
  /** Added to each row. */
  readonly bias?: Binding | undefined;
  /** Whether the product is added to what the output holds. */
  readonly adds?: boolean;
}

/**
 * A product of few rows with a matrix, which takes about as long as reading the matrix: every value of
 * it is read once, for all rows.
 */
export function fewRowsProductStep(device: Device, options: FewRowsOptions): Step {
  const { rows, columns, inner, input, matrix, output, stride, bias, start = 0 } = options;
  const alongInner = matrix.layout === "alongInner";
  const code = alongInner ? alongInnerCode : alongResultCode;
  return makeStep(device, {
    code: code({
      rows,
      type: matrix.type ?? "f32",
      bias: bias !== undefined,
      adds: options.adds ?? false,
    }),
    numbers: [columns, inner / 4, matrix.stride / 4, stride, start],
    buffers: [
      input,
      matrix.buffer,
      output,
      ...scalesOf(matrix),
      ...(bias === undefined ? [] : [bias]),
    ],
    workgroups: rowWorkgroups(Math.ceil(columns / (alongInner ? outputsAtOnce : 4 * quadsAtOnce))),
  });
}

interface Variant {
  readonly rows: number;
  readonly type: RightType;
  readonly bias: boolean;
  readonly adds: boolean;
}

function frame(
  { rows, type, bias }: Variant,
  { sum, found, threads }: { sum: "f32" | "vec4<f32>"; found: number; threads: number },
  body: string,
): string {
  return `
struct Numbers { columns: u32, inner: u32, stride: u32, outputStride: u32, start: u32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: ${rightArray(type)};
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
${scalesBinding(type, 4)}
${bias ? `@group(0) @binding(${isScaled(type) ? 5 : 4}) var<storage, read> bias: array<f32>;` : ""}
var<workgroup> found: array<${sum}, ${found}>;
${readRight(type, "weights")}

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let block = ${rowOfWorkgroup};
  ${each(rows, (row) => `var sum${row} = ${sum}();`)}
  ${body}
}
`;
}

function each(count: number, text: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => text(index)).join("\n  ");
}

/** Writes one value, `value`, of row `row` and column `column`. */
function store({ bias, adds }: Variant): string {
  return `let at = row * numbers.outputStride + numbers.start + column;
    output[at] = ${adds ? "output[at] + " : ""}value${bias ? " + bias[column]" : ""};`;
}

/** Outputs of a workgroup, and threads that share one. */
const [outputsAtOnce, lanes] = [4, 16];

/** The matrix is `[columns, inner]`: neighbouring threads read neighbouring parts of a row of it. */
function alongInnerCode(variant: Variant): string {
  const { rows } = variant;
  const threads = outputsAtOnce * lanes;
  return frame(
    variant,
    { sum: "f32", found: threads * rows, threads },
    `let own = block * ${outputsAtOnce}u + thread / ${lanes}u;
  if (own < numbers.columns) {
    for (var i = thread % ${lanes}u; i < numbers.inner; i += ${lanes}u) {
      let weight = readRight(own * numbers.stride + i, own, i);
      ${each(rows, (row) => `sum${row} += dot(weight, input[${row}u * numbers.inner + i]);`)}
    }
  }
  ${each(rows, (row) => `found[${row * threads}u + thread] = sum${row};`)}
  workgroupBarrier();
  let row = thread / ${outputsAtOnce}u;
  let column = block * ${outputsAtOnce}u + thread % ${outputsAtOnce}u;
  if (row < ${rows}u && column < numbers.columns) {
    var value = 0.0;
    let first = row * ${threads}u + thread % ${outputsAtOnce}u * ${lanes}u;
    for (var lane = 0u; lane < ${lanes}u; lane++) { value += found[first + lane]; }
    ${store(variant)}
  }`,
  );
}

/** Groups of four columns of a workgroup, and threads that share one. */
const [quadsAtOnce, depthLanes] = [8, 32];

/** The matrix is `[inner, columns]`: neighbouring threads read neighbouring columns of it. */
function alongResultCode(variant: Variant): string {
  const { rows } = variant;
  const threads = quadsAtOnce * depthLanes;
  return frame(
    variant,
    { sum: "vec4<f32>", found: threads, threads },
    `let quad = block * ${quadsAtOnce}u + thread % ${quadsAtOnce}u;
  let lane = thread / ${quadsAtOnce}u;
  if (4u * quad < numbers.columns) {
    for (var i = lane; i < 4u * numbers.inner; i += ${depthLanes}u) {
      let weight = readRight(i * numbers.stride + quad, 0u, 0u);
      ${
      each(rows, (row) => `sum${row} += input[${row}u * numbers.inner + i / 4u][i % 4u] * weight;`)
    }
    }
  }
  ${
      each(rows, (number) =>
        `{
    found[thread] = sum${number};
    workgroupBarrier();
    let row = ${number}u;
    let column = 4u * block * ${quadsAtOnce}u + thread;
    if (thread < ${4 * quadsAtOnce}u && column < numbers.columns) {
      var value = 0.0;
      for (var other = 0u; other < ${depthLanes}u; other++) {
        value += found[other * ${quadsAtOnce}u + thread / 4u][thread % 4u];
      }
      ${store(variant)}
    }
    workgroupBarrier();
  }`)
    }`,
  );
}
