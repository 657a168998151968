// Products of error feedback, in float32; AssemblyScript, see build_kernels.ts.
//
// Every element is summed in order, with a rounding after each multiplication and each addition, so
// that the result is the same on every machine: fused or relaxed multiply-add would not be.

/** Rows and columns of a product. */
const TILE: i32 = 32;
/** Rows and columns of the part of a product that stays in registers. */
const REGISTER_ROWS: i32 = 4;
const REGISTER_COLUMNS: i32 = 8;
/** Terms that are summed before the next part, so that the operands stay in the nearest cache. */
const DEPTH: i32 = 128;
/** Where the second factor of a part of a product is copied to: DEPTH * TILE floats. */
const PACKED: usize = 16;
/** Bytes of a row of a packed strip. */
const STRIP_ROW: usize = REGISTER_COLUMNS * 4;

function multiplyAdd(sum: v128, a: v128, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(a, b));
}

/** Adds to 4 x 8 elements; `f` is a packed strip. */
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

/** Copies rows of 32 columns to strips of 8, so that loads follow each other. */
function pack(f: usize, fStride: usize, depth: i32): void {
  const stripBytes = <usize> depth * STRIP_ROW;
  for (let p: usize = 0; p < <usize> depth; p++) {
    let to = PACKED + p * STRIP_ROW;
    for (let from = f; from < f + <usize> (TILE << 2); from += STRIP_ROW) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      to += stripBytes;
    }
    f += fStride;
  }
}

/** C += X F for a square tile C, X with `depth` columns, F with `depth` rows. Strides in bytes. */
export function addProduct(
  c: usize,
  cStride: usize,
  x: usize,
  xStride: usize,
  f: usize,
  fStride: usize,
  depth: i32,
): void {
  for (let p = 0; p < depth; p += DEPTH) {
    const part = min(DEPTH, depth - p);
    const xPart = x + (<usize> p << 2);
    pack(f + <usize> p * fStride, fStride, part);
    let strip = PACKED;
    for (let j = 0; j < TILE; j += REGISTER_COLUMNS) {
      const target = c + (<usize> j << 2);
      for (let i = 0; i < TILE; i += REGISTER_ROWS) {
        const row = <usize> i;
        addPart(target + row * cStride, cStride, xPart + row * xStride, xStride, strip, part);
      }
      strip += <usize> part * STRIP_ROW;
    }
  }
}

/** Adds to targets[from .. end) the multiple of factors; whole vectors, factors are 0 before from. */
function addMultiple(targets: usize, factors: usize, value: f32, from: i32, end: i32): void {
  const w = f32x4.splat(value);
  const stop = <usize> end << 2;
  for (let at = <usize> (from & ~3) << 2; at < stop; at += 16) {
    v128.store(targets + at, multiplyAdd(v128.load(targets + at), w, v128.load(factors + at)));
  }
}

/** End of the tile after that of an index. */
function nearEnd(index: i32, end: i32): i32 {
  return min(end, (index / TILE + 2) * TILE);
}

/**
 * Adds the errors of an anti-diagonal to the values near below and to the right of each. `above` is
 * column-major with `height` rows, `left` (0 where absent) row-major with `width` columns. At
 * `factorRows + 4 * j` is the place of the factors of column j, in floats from `memory` on, at
 * `ends + 4 * j` the column where they end.
 */
export function addNear(
  row: i32,
  column: i32,
  length: i32,
  memory: usize,
  above: usize,
  height: i32,
  rowFactors: usize,
  left: usize,
  width: i32,
  factorRows: usize,
  ends: usize,
): void {
  for (let t = 0; t < length; t++) {
    const i = row + t, j = column - t;
    const below = above + (<usize> (j * height) << 2);
    const error = load<f32>(below + (<usize> i << 2));
    addMultiple(below, rowFactors + (<usize> (i * height) << 2), error, i + 1, nearEnd(i, height));
    if (left === 0) continue;
    const right = left + (<usize> (i * width) << 2);
    const whitened = load<f32>(right + (<usize> j << 2));
    const offset = <usize> j << 2;
    const end = nearEnd(j, load<i32>(ends + offset));
    const factors = memory + (<usize> load<i32>(factorRows + offset) << 2);
    addMultiple(right, factors, whitened, j + 1, end);
  }
}
