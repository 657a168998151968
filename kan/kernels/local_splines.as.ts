// AssemblyScript, see kernels/build_kernels.ts.
//
// Shapes: first [rows, inputs] i32; values, slopes [rows, inputs, support] f32; weights and their
// gradients [inputs, size, outputs] f32; sums and their gradients [rows, outputs] f32; input gradients
// [rows, inputs] f32. Addresses are bytes. Blocks of rows keep the weights of an input in the cache.

const BLOCK: i32 = 32;

/** sums += the splines: only `support` weights are touched for each input of each row. */
export function forward(
  rows: i32,
  inputs: i32,
  outputs: i32,
  size: i32,
  support: i32,
  first: usize,
  values: usize,
  weights: usize,
  sums: usize,
): void {
  for (let block = 0; block < rows; block += BLOCK) {
    const end = min(block + BLOCK, rows);
    for (let i = 0; i < inputs; i++) {
      for (let row = block; row < end; row++) {
        const point = row * inputs + i;
        const start = i * size + load<i32>(first + (<usize> point << 2));
        const sum = sums + (<usize> (row * outputs) << 2);
        for (let j = 0; j < support; j++) {
          const value = load<f32>(values + (<usize> (point * support + j) << 2));
          const weight = weights + (<usize> ((start + j) * outputs) << 2);
          addScaled(sum, weight, value, outputs);
        }
      }
    }
  }
}

/** Adds to the gradients of the weights and of the inputs. */
export function backward(
  rows: i32,
  inputs: i32,
  outputs: i32,
  size: i32,
  support: i32,
  first: usize,
  values: usize,
  slopes: usize,
  weights: usize,
  sumGradients: usize,
  weightGradients: usize,
  inputGradients: usize,
): void {
  for (let block = 0; block < rows; block += BLOCK) {
    const end = min(block + BLOCK, rows);
    for (let i = 0; i < inputs; i++) {
      for (let row = block; row < end; row++) {
        const point = row * inputs + i;
        const start = i * size + load<i32>(first + (<usize> point << 2));
        const upstream = sumGradients + (<usize> (row * outputs) << 2);
        let inputGradient: f32 = 0;
        for (let j = 0; j < support; j++) {
          const local = <usize> (point * support + j) << 2;
          const offset = <usize> ((start + j) * outputs) << 2;
          addScaled(weightGradients + offset, upstream, load<f32>(values + local), outputs);
          inputGradient += load<f32>(slopes + local) * dot(weights + offset, upstream, outputs);
        }
        store<f32>(inputGradients + (<usize> point << 2), inputGradient);
      }
    }
  }
}

function addScaled(target: usize, source: usize, factor: f32, count: i32): void {
  const factors = f32x4.splat(factor);
  const end = target + (<usize> count << 2);
  const lastWhole = target + (<usize> (count & ~3) << 2);
  while (target < lastWhole) {
    v128.store(target, f32x4.add(v128.load(target), f32x4.mul(factors, v128.load(source))));
    target += 16;
    source += 16;
  }
  while (target < end) {
    store<f32>(target, load<f32>(target) + factor * load<f32>(source));
    target += 4;
    source += 4;
  }
}

function dot(a: usize, b: usize, count: i32): f32 {
  const end = a + (<usize> count << 2);
  const lastWhole = a + (<usize> (count & ~3) << 2);
  let sums = f32x4.splat(0);
  while (a < lastWhole) {
    sums = f32x4.add(sums, f32x4.mul(v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
  }
  let sum = f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1) +
    f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3);
  while (a < end) {
    sum += load<f32>(a) * load<f32>(b);
    a += 4;
    b += 4;
  }
  return sum;
}
