// What layers do between products; AssemblyScript, see kernels/build_kernels.ts.

function sumOfLanes(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) +
    (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/** Σ (x - shift) of `size` values. */
function sumFrom(x: usize, size: i32, shift: f32): f32 {
  const whole = size & ~3;
  let lanes = f32x4.splat(0);
  for (let i = 0; i < whole; i += 4) {
    lanes = f32x4.add(lanes, f32x4.sub(v128.load(x + (<usize> i << 2)), f32x4.splat(shift)));
  }
  let sum = sumOfLanes(lanes);
  for (let i = whole; i < size; i++) sum += load<f32>(x + (<usize> i << 2)) - shift;
  return sum;
}

/** Σ (x - shift)² of `size` values. */
function squaresFrom(x: usize, size: i32, shift: f32): f32 {
  const whole = size & ~3;
  let lanes = f32x4.splat(0);
  for (let i = 0; i < whole; i += 4) {
    const value = f32x4.sub(v128.load(x + (<usize> i << 2)), f32x4.splat(shift));
    lanes = f32x4.add(lanes, f32x4.mul(value, value));
  }
  let sum = sumOfLanes(lanes);
  for (let i = whole; i < size; i++) {
    const value = load<f32>(x + (<usize> i << 2)) - shift;
    sum += value * value;
  }
  return sum;
}

/**
 * Normalization of rows of `size` values: centred first where asked, then times `weight` + `offset`, plus
 * the bias where there is one (0: none).
 */
export function normalizeRows(
  rows: i32,
  size: i32,
  x: usize,
  to: usize,
  centres: bool,
  epsilon: f32,
  weight: usize,
  offset: f32,
  bias: usize,
): void {
  const whole = size & ~3;
  for (let row = 0; row < rows; row++) {
    const mean: f32 = centres ? sumFrom(x, size, 0) / <f32> size : 0;
    const inverse: f32 = 1 / sqrt(squaresFrom(x, size, mean) / <f32> size + epsilon);
    for (let i = 0; i < whole; i += 4) {
      const at = <usize> i << 2;
      const factor = f32x4.add(v128.load(weight + at), f32x4.splat(offset));
      let value = f32x4.sub(v128.load(x + at), f32x4.splat(mean));
      value = f32x4.mul(f32x4.mul(value, f32x4.splat(inverse)), factor);
      if (bias != 0) value = f32x4.add(value, v128.load(bias + at));
      v128.store(to + at, value);
    }
    for (let i = whole; i < size; i++) {
      const at = <usize> i << 2;
      let value = (load<f32>(x + at) - mean) * inverse * (load<f32>(weight + at) + offset);
      if (bias != 0) value += load<f32>(bias + at);
      store<f32>(to + at, value);
    }
    x += <usize> size << 2;
    to += <usize> size << 2;
  }
}

/**
 * Rotates the heads of `tokens` tokens, `heads` of `size` features each: pairs of features, `half` apart,
 * by the first cosines and sines of rows of `size`, one for each of `length` positions; the other way
 * round if `sign` is -1. What is beyond the pairs stays.
 */
export function rotateHeads(
  tokens: i32,
  length: i32,
  heads: i32,
  size: i32,
  half: i32,
  x: usize,
  to: usize,
  cosines: usize,
  sines: usize,
  sign: f32,
): void {
  for (let token = 0; token < tokens; token++) {
    const row = <usize> (token % length * size) << 2;
    for (let head = 0; head < heads; head++) {
      const next = <usize> half << 2;
      let i = 0;
      for (; i + 4 <= half; i += 4) {
        const at = <usize> i << 2;
        const cosine = v128.load(cosines + row + at);
        const sine = f32x4.mul(v128.load(sines + row + at), f32x4.splat(sign));
        const a = v128.load(x + at), b = v128.load(x + next + at);
        v128.store(to + at, f32x4.sub(f32x4.mul(a, cosine), f32x4.mul(b, sine)));
        v128.store(to + next + at, f32x4.add(f32x4.mul(b, cosine), f32x4.mul(a, sine)));
      }
      for (; i < half; i++) {
        const at = <usize> i << 2;
        const cosine = load<f32>(cosines + row + at), sine = sign * load<f32>(sines + row + at);
        const a = load<f32>(x + at), b = load<f32>(x + next + at);
        store<f32>(to + at, a * cosine - b * sine);
        store<f32>(to + next + at, b * cosine + a * sine);
      }
      memory.copy(to + 2 * next, x + 2 * next, (<usize> size << 2) - 2 * next);
      x += <usize> size << 2;
      to += <usize> size << 2;
    }
  }
}

/** Copies a head of `size` features of each of `tokens` rows. */
export function copyHead(
  tokens: i32,
  size: i32,
  x: usize,
  rowBytes: usize,
  to: usize,
  toBytes: usize,
): void {
  for (let token = 0; token < tokens; token++, x += rowBytes, to += toBytes) {
    memory.copy(to, x, <usize> size << 2);
  }
}

/** An activation of `count` values, times those at `gated` (0: none); see `activate` for `kind`. */
export function activateAll(kind: i32, x: usize, gated: usize, count: i32, to: usize): void {
  const whole = count & ~3;
  for (let i = 0; i < whole; i += 4) {
    const at = <usize> i << 2;
    let value = activated(kind, v128.load(x + at));
    if (gated != 0) value = f32x4.mul(value, v128.load(gated + at));
    v128.store(to + at, value);
  }
  for (let i = whole; i < count; i++) {
    const at = <usize> i << 2;
    let value = f32x4.extract_lane(activated(kind, v128.load32_splat(x + at)), 0);
    if (gated != 0) value *= load<f32>(gated + at);
    store<f32>(to + at, value);
  }
}
