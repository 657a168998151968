// What is measured of logits; AssemblyScript, see kernels/build_kernels.ts.

/** The first place of the largest of `count` values. */
function placeOfLargest(x: usize, count: i32): i32 {
  let most = f32x4.splat(-Infinity);
  const whole = count & ~3;
  for (let i = 0; i < whole; i += 4) most = f32x4.max(most, v128.load(x + (<usize> i << 2)));
  let largest = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  for (let i = whole; i < count; i++) largest = max(largest, load<f32>(x + (<usize> i << 2)));
  for (let i = 0; i < count; i++) if (load<f32>(x + (<usize> i << 2)) == largest) return i;
  return 0;
}

/** Two values from `i` on as float64; where the second is beyond `count`, it is `beyond`. */
function pairAt(x: usize, i: i32, count: i32, beyond: f32): v128 {
  const at = x + (<usize> i << 2);
  if (i + 1 < count) return f64x2.promote_low_f32x4(v128.load64_zero(at));
  return f64x2.replace_lane(f64x2.splat(beyond), 0, load<f32>(at));
}

function sumOfPair(x: v128): f64 {
  return f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1);
}

/**
 * Of one row of `count` logits of one model, and of another's at `b` (0: there is none), in float64: the
 * first model's Σ exp(a - largest) and the place of its largest logit, the same of the second model, and
 * Σ exp(a - largest) (a - b). Five numbers at `to`.
 */
export function sumLogits(count: i32, a: usize, b: usize, to: usize): void {
  const top = placeOfLargest(a, count);
  const largest = f64x2.splat(load<f32>(a + (<usize> top << 2)));
  let sum = f64x2.splat(0), otherSum = sum, difference = sum;
  store<f64>(to, top, 8);
  if (b == 0) {
    for (let i = 0; i < count; i += 2) {
      const value = pairAt(a, i, count, -Infinity);
      sum = f64x2.add(sum, exponentialWide(f64x2.sub(value, largest)));
    }
    store<f64>(to, sumOfPair(sum));
    return;
  }
  const otherTop = placeOfLargest(b, count);
  const otherLargest = f64x2.splat(load<f32>(b + (<usize> otherTop << 2)));
  for (let i = 0; i < count; i += 2) {
    const value = pairAt(a, i, count, -1e30), other = pairAt(b, i, count, -1e30);
    const exponential = exponentialWide(f64x2.sub(value, largest));
    sum = f64x2.add(sum, exponential);
    difference = f64x2.add(difference, f64x2.mul(exponential, f64x2.sub(value, other)));
    otherSum = f64x2.add(otherSum, exponentialWide(f64x2.sub(other, otherLargest)));
  }
  store<f64>(to, sumOfPair(sum));
  store<f64>(to, sumOfPair(otherSum), 16);
  store<f64>(to, otherTop, 24);
  store<f64>(to, sumOfPair(difference), 32);
}
