// Activations: what has exponentials; stands before kernels that need them; AssemblyScript, see
// kernels/build_kernels.ts.

/** e^x to the rounding of 32 bits, for x up to 88; zero below -87. */
function exponential(x: v128): v128 {
  const bounded = f32x4.min(x, f32x4.splat(88));
  const whole = f32x4.nearest(f32x4.mul(bounded, f32x4.splat(<f32> 1.4426950408889634)));
  // log 2 in two parts, the first of few bits, so that its multiples are exact.
  let r = f32x4.sub(bounded, f32x4.mul(whole, f32x4.splat(<f32> 0.693359375)));
  r = f32x4.add(r, f32x4.mul(whole, f32x4.splat(<f32> 2.12194440054690583e-4)));
  let sum = f32x4.splat(<f32> (1.0 / 5040));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(<f32> (1.0 / 720)));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(<f32> (1.0 / 120)));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(<f32> (1.0 / 24)));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(<f32> (1.0 / 6)));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(0.5));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1));
  const exponent = i32x4.add(i32x4.trunc_sat_f32x4_s(whole), i32x4.splat(127));
  const power = f32x4.mul(sum, i32x4.shl(exponent, 23));
  return v128.and(power, f32x4.gt(x, f32x4.splat(-87)));
}

function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exponential(f32x4.neg(x))));
}

/** The hyperbolic tangent: a series near zero, where the other form loses digits. */
function tanh(x: v128): v128 {
  const square = f32x4.mul(x, x);
  let series = f32x4.splat(<f32> (62.0 / 2835));
  series = f32x4.add(f32x4.mul(series, square), f32x4.splat(<f32> (-17.0 / 315)));
  series = f32x4.add(f32x4.mul(series, square), f32x4.splat(<f32> (2.0 / 15)));
  series = f32x4.add(f32x4.mul(series, square), f32x4.splat(<f32> (-1.0 / 3)));
  series = f32x4.add(f32x4.mul(f32x4.mul(series, square), x), x);
  const two = f32x4.splat(2);
  const other = f32x4.sub(f32x4.mul(two, sigmoid(f32x4.mul(two, x))), f32x4.splat(1));
  return v128.bitselect(series, other, f32x4.lt(f32x4.abs(x), f32x4.splat(0.25)));
}

/** The error function to 1.5e-7 (Abramowitz and Stegun, 7.1.26). */
function erf(x: v128): v128 {
  const one = f32x4.splat(1);
  const size = f32x4.abs(x);
  const t = f32x4.div(one, f32x4.add(one, f32x4.mul(size, f32x4.splat(<f32> 0.3275911))));
  let sum = f32x4.splat(<f32> 1.061405429);
  sum = f32x4.add(f32x4.mul(sum, t), f32x4.splat(<f32> -1.453152027));
  sum = f32x4.add(f32x4.mul(sum, t), f32x4.splat(<f32> 1.421413741));
  sum = f32x4.add(f32x4.mul(sum, t), f32x4.splat(<f32> -0.284496736));
  sum = f32x4.add(f32x4.mul(sum, t), f32x4.splat(<f32> 0.254829592));
  const tail = exponential(f32x4.neg(f32x4.mul(size, size)));
  const value = f32x4.sub(one, f32x4.mul(f32x4.mul(sum, t), tail));
  return v128.bitselect(x, value, i32x4.splat(0x80000000));
}

function activated(kind: i32, x: v128): v128 {
  if (kind == 0) return f32x4.max(x, f32x4.splat(0));
  if (kind == 1) return f32x4.mul(x, sigmoid(x));
  if (kind == 2) return f32x4.mul(x, sigmoid(f32x4.mul(x, f32x4.splat(<f32> 1.702))));
  const half = f32x4.splat(0.5);
  if (kind == 3) {
    const part = erf(f32x4.mul(x, f32x4.splat(<f32> 0.7071067811865476)));
    return f32x4.mul(x, f32x4.add(half, f32x4.mul(half, part)));
  }
  const cubic = f32x4.mul(f32x4.mul(x, x), f32x4.splat(<f32> 0.0713548162726009));
  return f32x4.mul(
    x,
    sigmoid(f32x4.mul(x, f32x4.add(cubic, f32x4.splat(<f32> 1.5957691216057308)))),
  );
}

/**
 * An activation of `count` values, a multiple of 4, in place, times those at `gated` (0: none). `kind`
 * 0: relu, 1: silu, 2: quick gelu, 3: gelu, 4: gelu by tanh.
 */
export function activate(kind: i32, x: usize, gated: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const at = <usize> i << 2;
    let value = activated(kind, v128.load(x + at));
    if (gated != 0) value = f32x4.mul(value, v128.load(gated + at));
    v128.store(x + at, value);
  }
}

/** `cap * tanh(x / cap)` of `count` values, a multiple of 4, in place. */
export function capSoftly(x: usize, count: i32, cap: f32): void {
  const most = f32x4.splat(cap);
  for (let i = 0; i < count; i += 4) {
    const at = x + (<usize> i << 2);
    v128.store(at, f32x4.mul(most, tanh(f32x4.div(v128.load(at), most))));
  }
}
