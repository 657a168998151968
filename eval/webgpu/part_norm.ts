import type { Device } from "./device.ts";
import { type Binding, makeStep, real, type Step } from "./program.ts";
import { reduction, rowOfWorkgroup, rowThreads, rowWorkgroups } from "./reduce_code.ts";

/** What {@linkcode partNormStep} is given. */
export interface PartNormOptions {
  /** `[rows, stride]`, of which a part of each row is changed in place. */
  readonly states: Binding;
  readonly rows: number;
  readonly stride: number;
  /** Where the part begins, and how long it is. */
  readonly start: number;
  readonly size: number;
  readonly weight: Binding;
  readonly epsilon: number;
}

/** Root-mean-square normalization of a part of each row, in place: all queries, or all keys. */
export function partNormStep(device: Device, options: PartNormOptions): Step {
  return makeStep(device, {
    code: partNormCode(),
    numbers: numbersOf(options),
    buffers: [options.states, options.weight],
    workgroups: rowWorkgroups(options.rows),
  });
}

/**
 * The gradient of {@linkcode partNormStep}, in the place of that by its result; `before` is what was
 * normalized, `[rows, stride]`. The gradient by the result times what is normalized goes to `products`,
 * `[rows, size]`, if they are wanted.
 */
export function partNormGradientStep(
  device: Device,
  options: PartNormOptions & { readonly before: Binding; readonly products?: Binding },
): Step {
  const { states, weight, before, products } = options;
  return makeStep(device, {
    code: partNormGradientCode(products !== undefined),
    numbers: numbersOf(options),
    buffers: [states, weight, before, ...(products === undefined ? [] : [products])],
    workgroups: rowWorkgroups(options.rows),
  });
}

function numbersOf({ rows, stride, start, size, epsilon }: PartNormOptions) {
  return [rows, stride, start, size, real(epsilon)];
}

function frame(before: boolean, products: boolean, body: string): string {
  return `
struct Numbers { rows: u32, stride: u32, start: u32, size: u32, epsilon: f32 }
@group(0) @binding(0) var<uniform> numbers: Numbers;
@group(0) @binding(1) var<storage, read_write> states: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
${before ? "@group(0) @binding(3) var<storage, read> before: array<f32>;" : ""}
${products ? "@group(0) @binding(4) var<storage, read_write> products: array<f32>;" : ""}
${reduction("total", "a + b")}

@compute @workgroup_size(${rowThreads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = ${rowOfWorkgroup};
  if (row >= numbers.rows) { return; }
  let size = numbers.size;
  let first = row * numbers.stride + numbers.start;
  ${body}
}
`;
}

/** WGSL that runs for each number of a thread. */
function each(text: string): string {
  return `for (var i = thread; i < size; i += ${rowThreads}u) { ${text} }`;
}

function partNormCode(): string {
  return frame(
    false,
    false,
    `var squares = 0.0;
  ${each("squares += states[first + i] * states[first + i];")}
  let inverse = inverseSqrt(total(thread, squares) / f32(size) + numbers.epsilon);
  ${each("states[first + i] = states[first + i] * inverse * weight[i];")}`,
  );
}

function partNormGradientCode(products: boolean): string {
  return frame(
    true,
    products,
    `var squares = 0.0;
  var along = 0.0;
  ${
      each(`let x = before[first + i];
    squares += x * x;
    along += x * states[first + i] * weight[i];`)
    }
  let inverse = inverseSqrt(total(thread, squares) / f32(size) + numbers.epsilon);
  let share = total(thread, along) * inverse * inverse / f32(size);
  ${
      each(`${
        products
          ? "products[row * size + i] = before[first + i] * inverse * states[first + i];"
          : ""
      }
    states[first + i] =
      (states[first + i] * weight[i] - before[first + i] * share) * inverse;`)
    }`,
  );
}
