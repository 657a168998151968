// Products of error feedback, in float32; AssemblyScript, see kernels/build_kernels.ts.
//
// Every element is summed in order, with a rounding after each multiplication and each addition, so
// that the result is the same on every machine: fused or relaxed multiply-add would not be.

/** Columns of a strip of factors; rows and columns of a subtile. */
const SUBTILE: i32 = 8;
/** Rows of the part of a product that stays in registers; its columns are a strip's. */
const REGISTER_ROWS: i32 = 4;
/** Terms that are summed before the next part, so that the operands stay in the nearest cache. */
const DEPTH: i32 = 128;
/** Bytes of a row of a strip. */
const STRIP_ROW: usize = SUBTILE * 4;

function multiplyAdd(sum: v128, a: v128, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(a, b));
}

/** Adds to 4 x 8 elements; `f` is in a strip. */
function addPart(
  c: usize,
  cStride: usize,
  x: usize,
  xStride: usize,
  f: usize,
  depth: i32,
): void {
  const c1 = c + cStride, c2 = c1 + cStride, c3 = c2 + cStride;
  let s00 = v128.load(c), s01 = v128.load(c, 16);
  let s10 = v128.load(c1), s11 = v128.load(c1, 16);
  let s20 = v128.load(c2), s21 = v128.load(c2, 16);
  let s30 = v128.load(c3), s31 = v128.load(c3, 16);
  let x2 = x + 2 * xStride;
  for (let p = 0; p < depth; p++) {
    const f0 = v128.load(f), f1 = v128.load(f, 16);
    let w = v128.load32_splat(x);
    s00 = multiplyAdd(s00, w, f0);
    s01 = multiplyAdd(s01, w, f1);
    w = v128.load32_splat(x + xStride);
    s10 = multiplyAdd(s10, w, f0);
    s11 = multiplyAdd(s11, w, f1);
    w = v128.load32_splat(x2);
    s20 = multiplyAdd(s20, w, f0);
    s21 = multiplyAdd(s21, w, f1);
    w = v128.load32_splat(x2 + xStride);
    s30 = multiplyAdd(s30, w, f0);
    s31 = multiplyAdd(s31, w, f1);
    x += 4;
    x2 += 4;
    f += STRIP_ROW;
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c1, s10);
  v128.store(c1, s11, 16);
  v128.store(c2, s20);
  v128.store(c2, s21, 16);
  v128.store(c3, s30);
  v128.store(c3, s31, 16);
}

/**
 * C += X F for a square C, X with `depth` columns, F with `depth` rows in strips. Strides and
 * `stripBytes` are in bytes, `size` is whole subtiles.
 */
export function addProduct(
  size: i32,
  c: usize,
  cStride: usize,
  x: usize,
  xStride: usize,
  f: usize,
  stripBytes: usize,
  depth: i32,
): void {
  for (let p = 0; p < depth; p += DEPTH) {
    const part = min(DEPTH, depth - p);
    const xPart = x + (<usize> p << 2);
    let strip = f + <usize> p * STRIP_ROW;
    for (let j = 0; j < size; j += SUBTILE) {
      const target = c + (<usize> j << 2);
      for (let i = 0; i < size; i += REGISTER_ROWS) {
        const row = <usize> i;
        addPart(target + row * cStride, cStride, xPart + row * xStride, xStride, strip, part);
      }
      strip += stripBytes;
    }
  }
}

/**
 * Adds to the values after `index`, in its subtile and the next, the value at `index` times factors of
 * a square of `size`. Whole vectors: factors are 0 up to `index`.
 */
function addMultiple(values: usize, factors: usize, index: i32, size: i32): void {
  const w = v128.load32_splat(values + (<usize> index << 2));
  const end = min(size, (index & ~(SUBTILE - 1)) + 2 * SUBTILE);
  const row = factors + <usize> index * STRIP_ROW;
  for (let i = (index + 1) & ~3; i < end; i += 4) {
    const strip = <usize> (i & ~(SUBTILE - 1)) * <usize> (size << 2);
    const f = v128.load(row + strip + (<usize> (i & (SUBTILE - 1)) << 2));
    const at = values + (<usize> i << 2);
    v128.store(at, multiplyAdd(v128.load(at), w, f));
  }
}

/** Writes `above` plus `left` (0 where absent) of an anti-diagonal to `targets`. */
export function gather(
  row: i32,
  column: i32,
  length: i32,
  above: usize,
  height: i32,
  targets: usize,
  left: usize,
  width: i32,
): void {
  let value = above + (<usize> (column * height + row) << 2);
  const step = <usize> (height - 1) << 2;
  if (left === 0) {
    for (let t = 0; t < length; t++, value -= step) {
      store<f32>(targets + (<usize> t << 2), load<f32>(value));
    }
    return;
  }
  let sum = left + (<usize> (row * width + column) << 2);
  const sumStep = <usize> (width - 1) << 2;
  for (let t = 0; t < length; t++, value -= step, sum += sumStep) {
    store<f32>(targets + (<usize> t << 2), load<f32>(value) + load<f32>(sum));
  }
}

/**
 * Puts the errors of an anti-diagonal in the place of its values and adds them to the values near
 * below and to the right of each. `above` is column-major with `height` rows, `left` (0 where absent)
 * row-major with `width` columns. The tables have for each column the place of its block's factors,
 * in floats from `memory` on, the block's first column and the column after it.
 */
export function passOn(
  row: i32,
  column: i32,
  length: i32,
  memory: usize,
  above: usize,
  height: i32,
  rowFactors: usize,
  targets: usize,
  originals: usize,
  left: usize,
  width: i32,
  factors: usize,
  starts: usize,
  ends: usize,
): void {
  for (let t = 0; t < length; t++) {
    const i = row + t, j = column - t;
    const level = load<f32>(targets + (<usize> t << 2));
    const values = above + (<usize> (j * height) << 2);
    const at = values + (<usize> i << 2);
    const whitened = load<f32>(at) - level;
    store<f32>(at, load<f32>(originals + (<usize> t << 2)) - level);
    addMultiple(values, rowFactors, i, height);
    if (left === 0) continue;
    store<f32>(left + (<usize> (i * width + j) << 2), whitened);
    const entry = <usize> j << 2;
    const start = load<i32>(starts + entry), size = load<i32>(ends + entry) - start;
    const block = memory + (<usize> load<i32>(factors + entry) << 2);
    addMultiple(left + (<usize> (i * width + start) << 2), block, j - start, size);
  }
}
