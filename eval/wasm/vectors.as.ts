// Sums, norms and rotations of vectors; AssemblyScript, see kernels/build_kernels.ts.

/** Multiplies `count` values, in place. */
export function scale(x: usize, count: i32, factor: f32): void {
  const whole = count & ~3;
  for (let i = 0; i < whole; i += 4) {
    const at = x + (<usize> i << 2);
    v128.store(at, f32x4.mul(v128.load(at), f32x4.splat(factor)));
  }
  for (let i = whole; i < count; i++) {
    const at = x + (<usize> i << 2);
    store<f32>(at, load<f32>(at) * factor);
  }
}

/** x + factor * y, of `count` values, a multiple of 4, in place of x. */
export function add(x: usize, y: usize, count: i32, factor: f32): void {
  for (let i = 0; i < count; i += 4) {
    const at = <usize> i << 2;
    v128.store(
      x + at,
      f32x4.add(v128.load(x + at), f32x4.mul(v128.load(y + at), f32x4.splat(factor))),
    );
  }
}

/**
 * Normalization of `size` values: centred first where asked, then times `weight` + `offset`, plus the
 * bias where there is one (0: none). May be in place.
 */
export function normalize(
  x: usize,
  to: usize,
  size: i32,
  centres: bool,
  epsilon: f64,
  weight: usize,
  offset: f32,
  bias: usize,
): void {
  let mean: f64 = 0;
  if (centres) {
    for (let i = 0; i < size; i++) mean += load<f32>(x + (<usize> i << 2));
    mean /= size;
  }
  let squares: f64 = 0;
  for (let i = 0; i < size; i++) {
    const value = <f64> load<f32>(x + (<usize> i << 2)) - mean;
    squares += value * value;
  }
  const inverse = 1 / sqrt(squares / size + epsilon);
  for (let i = 0; i < size; i++) {
    const at = <usize> i << 2;
    let value = <f32> ((<f64> load<f32>(x + at) - mean) * inverse);
    value *= load<f32>(weight + at) + offset;
    if (bias != 0) value += load<f32>(bias + at);
    store<f32>(to + at, value);
  }
}

/** Rotates pairs of features, `half` apart, by the cosines and sines of each. */
export function rotate(x: usize, cosines: usize, sines: usize, half: i32): void {
  for (let i = 0; i < half; i++) {
    const at = <usize> i << 2, other = x + (<usize> (half + i) << 2);
    const a = load<f32>(x + at), b = load<f32>(other);
    const cosine = load<f32>(cosines + at), sine = load<f32>(sines + at);
    store<f32>(x + at, a * cosine - b * sine);
    store<f32>(other, b * cosine + a * sine);
  }
}

/** `count` products of two vectors' values, a multiple of 4. */
export function multiplyVectors(x: usize, y: usize, count: i32, to: usize): void {
  for (let i = 0; i < count; i += 4) {
    const at = <usize> i << 2;
    v128.store(to + at, f32x4.mul(v128.load(x + at), v128.load(y + at)));
  }
}

/** Copies `count` values. */
export function copy(from: usize, to: usize, count: i32): void {
  memory.copy(to, from, <usize> count << 2);
}
