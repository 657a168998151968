// What comes after it uses it.
// deno-lint-ignore-file no-unused-vars

// The exponential in float64; AssemblyScript, see kernels/build_kernels.ts.

/** e^x to some units in the last place, for x up to 700; zero below -700. */
function exponentialWide(x: v128): v128 {
  const whole = f64x2.nearest(f64x2.mul(x, f64x2.splat(1.4426950408889634)));
  // log 2 in two parts, the first of few bits, so that its multiples are exact.
  let r = f64x2.sub(x, f64x2.mul(whole, f64x2.splat(0.693145751953125)));
  r = f64x2.sub(r, f64x2.mul(whole, f64x2.splat(1.42860682030941723212e-6)));
  let sum = f64x2.splat(1.0 / 6227020800);
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 479001600));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 39916800));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 3628800));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 362880));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 40320));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 5040));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 720));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 120));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 24));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 6));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(0.5));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1));
  const exponent = i64x2.extend_low_i32x4_s(i32x4.trunc_sat_f64x2_s_zero(whole));
  const power = f64x2.mul(sum, i64x2.shl(i64x2.add(exponent, i64x2.splat(1023)), 52));
  return v128.and(power, f64x2.gt(x, f64x2.splat(-700)));
}
