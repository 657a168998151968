// Gradients of what layers do between products; stands after all other kernels of layers;
// AssemblyScript, see kernels/build_kernels.ts.

/**
 * Adds to the gradients of one head's queries, keys and values, given that by its result; strides and
 * the rest are as in {@link attendAll}. With S = scale Q Kᵀ, P = softmax(S), O = P V: dP = dO Vᵀ,
 * dS = P ∘ (dP - rowsum(P ∘ dP)), dQ = scale dS K, dK = scale dSᵀ Q, dV = Pᵀ dO.
 */
export function attendGradient(
  queries: usize,
  queryBytes: usize,
  keys: usize,
  keyBytes: usize,
  values: usize,
  valueBytes: usize,
  gradient: usize,
  toQueries: usize,
  toKeys: usize,
  toValues: usize,
  length: i32,
  size: i32,
  scale: f32,
  cap: f32,
  causal: bool,
  window: i32,
  scratch: usize,
): void {
  const bytes = <usize> (QUERIES * ((length + 3) & ~3)) << 2;
  const shares = scratch + SCRATCH, changes = shares + bytes, slopes = changes + bytes;
  for (let top = 0; top < length; top += QUERIES) {
    const bottom = min(length, top + QUERIES);
    const rows = bottom - top;
    const end = causal ? bottom : length;
    const rowBytes = <usize> ((end + 3) & ~3) << 2;
    const own = <usize> top * queryBytes;
    sharesOf(
      queries,
      queryBytes,
      keys,
      keyBytes,
      top,
      bottom,
      end,
      size,
      scale,
      cap,
      causal,
      window,
      shares,
      cap == 0 ? 0 : slopes,
      scratch,
    );
    multiply(
      rows,
      size,
      end,
      gradient + own,
      queryBytes,
      4,
      values,
      4,
      valueBytes,
      changes,
      rowBytes,
      0,
      0,
      false,
      scratch,
    );
    for (let row = 0; row < rows; row++) {
      const share = shares + <usize> row * rowBytes, change = changes + <usize> row * rowBytes;
      const count = causal ? top + row + 1 : end;
      const padded = (count + 3) & ~3;
      for (let i = count; i < ((end + 3) & ~3); i++) store<f32>(change + (<usize> i << 2), 0);
      let lanes = f32x4.splat(0);
      for (let i = 0; i < padded; i += 4) {
        const at = <usize> i << 2;
        lanes = f32x4.add(lanes, f32x4.mul(v128.load(share + at), v128.load(change + at)));
      }
      const sum = f32x4.splat(
        f32x4.extract_lane(lanes, 0) + f32x4.extract_lane(lanes, 1) +
          (f32x4.extract_lane(lanes, 2) + f32x4.extract_lane(lanes, 3)),
      );
      for (let i = 0; i < padded; i += 4) {
        const at = <usize> i << 2;
        let value = f32x4.mul(v128.load(share + at), f32x4.sub(v128.load(change + at), sum));
        if (cap != 0) value = f32x4.mul(value, v128.load(slopes + <usize> row * rowBytes + at));
        v128.store(change + at, f32x4.mul(value, f32x4.splat(scale)));
      }
    }
    const to = toQueries + own;
    multiply(
      rows,
      end,
      size,
      changes,
      rowBytes,
      4,
      keys,
      keyBytes,
      4,
      to,
      queryBytes,
      to,
      queryBytes,
      false,
      scratch,
    );
    multiply(
      end,
      rows,
      size,
      changes,
      4,
      rowBytes,
      queries + own,
      queryBytes,
      4,
      toKeys,
      keyBytes,
      toKeys,
      keyBytes,
      false,
      scratch,
    );
    multiply(
      end,
      rows,
      size,
      shares,
      4,
      rowBytes,
      gradient + own,
      queryBytes,
      4,
      toValues,
      valueBytes,
      toValues,
      valueBytes,
      false,
      scratch,
    );
  }
}

/** Gradients of rows of a norm by its input, given those by its output; see `normalizeRows`. */
export function normalizeGradient(
  rows: i32,
  size: i32,
  x: usize,
  gradient: usize,
  to: usize,
  centres: bool,
  epsilon: f32,
  weight: usize,
  offset: f32,
): void {
  const bytes = <usize> size << 2;
  for (let row = 0; row < rows; row++) {
    const mean: f32 = centres ? sumFrom(x, size, 0) / <f32> size : 0;
    const inverse: f32 = 1 / sqrt(squaresFrom(x, size, mean) / <f32> size + epsilon);
    let sum: f32 = 0, along: f32 = 0;
    for (let i: usize = 0; i < bytes; i += 4) {
      const scaled = load<f32>(gradient + i) * (load<f32>(weight + i) + offset);
      sum += scaled;
      along += scaled * ((load<f32>(x + i) - mean) * inverse);
    }
    along /= <f32> size;
    const shift: f32 = centres ? sum / <f32> size : 0;
    for (let i: usize = 0; i < bytes; i += 4) {
      const scaled = load<f32>(gradient + i) * (load<f32>(weight + i) + offset);
      const normalized = (load<f32>(x + i) - mean) * inverse;
      store<f32>(to + i, (scaled - normalized * along - shift) * inverse);
    }
    x += bytes;
    gradient += bytes;
    to += bytes;
  }
}

/** The derivative of an activation; see `activate` for `kind`. */
function slopeOf(kind: i32, x: v128): v128 {
  const one = f32x4.splat(1);
  if (kind == 0) return v128.and(one, f32x4.gt(x, f32x4.splat(0)));
  if (kind == 3) {
    const half = f32x4.splat(0.5);
    const part = erf(f32x4.mul(x, f32x4.splat(<f32> 0.7071067811865476)));
    const density = exponential(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
    const product = f32x4.mul(x, f32x4.mul(density, f32x4.splat(<f32> 0.3989422804014327)));
    return f32x4.add(f32x4.add(half, f32x4.mul(half, part)), product);
  }
  // x σ(u), with the derivative of u: σ + x u' σ (1 - σ).
  let inner = x, slope = one;
  if (kind == 2) {
    slope = f32x4.splat(<f32> 1.702);
    inner = f32x4.mul(x, slope);
  } else if (kind == 4) {
    const cubic = f32x4.mul(f32x4.mul(x, x), f32x4.splat(<f32> 0.0713548162726009));
    const linear = f32x4.splat(<f32> 1.5957691216057308);
    inner = f32x4.mul(x, f32x4.add(cubic, linear));
    slope = f32x4.add(f32x4.mul(f32x4.splat(3), cubic), linear);
  }
  const share = sigmoid(inner);
  const rest = f32x4.mul(share, f32x4.sub(one, share));
  return f32x4.add(share, f32x4.mul(f32x4.mul(x, slope), rest));
}

/**
 * Gradients of {@link activateAll} by `x`, and at `toGated` by the values at `gated` (both 0: there are
 * none), given that by the result.
 */
export function activateGradient(
  kind: i32,
  x: usize,
  gated: usize,
  gradient: usize,
  count: i32,
  to: usize,
  toGated: usize,
): void {
  const whole = count & ~3;
  for (let i = 0; i < whole; i += 4) {
    const at = <usize> i << 2;
    const value = v128.load(x + at);
    let change = v128.load(gradient + at);
    if (gated != 0) {
      v128.store(toGated + at, f32x4.mul(change, activated(kind, value)));
      change = f32x4.mul(change, v128.load(gated + at));
    }
    v128.store(to + at, f32x4.mul(change, slopeOf(kind, value)));
  }
  for (let i = whole; i < count; i++) {
    const at = <usize> i << 2;
    const value = v128.load32_splat(x + at);
    let change = load<f32>(gradient + at);
    if (gated != 0) {
      store<f32>(toGated + at, change * f32x4.extract_lane(activated(kind, value), 0));
      change *= load<f32>(gated + at);
    }
    store<f32>(to + at, change * f32x4.extract_lane(slopeOf(kind, value), 0));
  }
}
