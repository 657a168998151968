// Products of error feedback, in float32; AssemblyScript, see kernels/build_kernels.ts.
//
// Every element is summed in order, with a rounding after each multiplication and each addition, so
// that the result is the same on every machine: fused or relaxed multiply-add would not be.

/** Rows and columns of a subtile; columns of a strip of factors. */
const SUBTILE: i32 = 8;
/** Lines of the part of a product that stays in registers; its positions are a subtile's. */
const REGISTER_LINES: i32 = 4;
/** Terms that are summed before the next part, so that the operands stay in the nearest cache. */
const DEPTH: i32 = 128;
/** log2 of the bytes of a line of a subtile, or of a row of a strip; and of all of a subtile. */
const LINE_SHIFT: usize = 5;
const SUBTILE_SHIFT: usize = 8;

function multiplyAdd(sum: v128, a: v128, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(a, b));
}

/** Adds to four lines of a subtile; `x` are those of another subtile and of those after it. */
function addPart(c: usize, x: usize, f: usize, depth: i32): void {
  let s00 = v128.load(c), s01 = v128.load(c, 16);
  let s10 = v128.load(c, 32), s11 = v128.load(c, 48);
  let s20 = v128.load(c, 64), s21 = v128.load(c, 80);
  let s30 = v128.load(c, 96), s31 = v128.load(c, 112);
  for (let p = 0; p < depth; p += SUBTILE) {
    for (const end = x + 32; x < end; x += 4) {
      const f0 = v128.load(f), f1 = v128.load(f, 16);
      let w = v128.load32_splat(x);
      s00 = multiplyAdd(s00, w, f0);
      s01 = multiplyAdd(s01, w, f1);
      w = v128.load32_splat(x, 32);
      s10 = multiplyAdd(s10, w, f0);
      s11 = multiplyAdd(s11, w, f1);
      w = v128.load32_splat(x, 64);
      s20 = multiplyAdd(s20, w, f0);
      s21 = multiplyAdd(s21, w, f1);
      w = v128.load32_splat(x, 96);
      s30 = multiplyAdd(s30, w, f0);
      s31 = multiplyAdd(s31, w, f1);
      f += 32;
    }
    x += 224;
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c, s10, 32);
  v128.store(c, s11, 48);
  v128.store(c, s20, 64);
  v128.store(c, s21, 80);
  v128.store(c, s30, 96);
  v128.store(c, s31, 112);
}

/**
 * C += X F for a square C of `size` lines and positions, and X of as many lines and `depth`
 * positions, both of subtiles; `bandBytes` is from eight lines to the next eight. F has `depth` rows
 * in strips, `stripBytes` from each other. `size` and `depth` are whole subtiles.
 */
export function addProduct(
  size: i32,
  c: usize,
  x: usize,
  bandBytes: usize,
  f: usize,
  stripBytes: usize,
  depth: i32,
): void {
  for (let p = 0; p < depth; p += DEPTH) {
    const part = min(DEPTH, depth - p);
    const before = <usize> p << LINE_SHIFT;
    let strip = f + before;
    for (let j = 0; j < size; j += SUBTILE) {
      for (let i = 0; i < size; i += REGISTER_LINES) {
        const line = <usize> (i >> 3) * bandBytes + (<usize> (i & 7) << LINE_SHIFT);
        addPart(c + line + (<usize> j << LINE_SHIFT), x + line + before, strip, part);
      }
      strip += stripBytes;
    }
  }
}

/** Adds a multiple of a row of a strip of factors to a line of a subtile. */
function addRow(line: usize, w: v128, factors: usize): void {
  v128.store(line, multiplyAdd(v128.load(line), w, v128.load(factors)));
  v128.store(line, multiplyAdd(v128.load(line, 16), w, v128.load(factors, 16)), 16);
}

/** Address of the subtile of a line and a position. */
function subtileAt(values: usize, length: i32, line: i32, position: i32): usize {
  return values + (<usize> ((line >> 3) * length + (position & ~7)) << LINE_SHIFT);
}

/** How many values of an anti-diagonal from row i and column j on are in the same subtile, at most. */
function valuesInSubtile(i: i32, j: i32, most: i32): i32 {
  return min(min(SUBTILE - (i & 7), (j & 7) + 1), most);
}

/**
 * Writes `above` plus `left` (0 where absent) of an anti-diagonal to `targets`. The lines of `above`
 * are columns of `height`, those of `left` rows of `width`.
 */
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
  for (let t = 0; t < length;) {
    const i = row + t, j = column - t;
    const count = valuesInSubtile(i, j, length - t);
    t += count;
    const inTile = ((j & 7) << 3) + (i & 7);
    let value = subtileAt(above, height, j, i) + (<usize> inTile << 2);
    const end = targets + (<usize> count << 2);
    if (left === 0) {
      for (; targets < end; targets += 4, value -= 28) store<f32>(targets, load<f32>(value));
      continue;
    }
    let sum = subtileAt(left, width, i, j) + (<usize> (((i & 7) << 3) + (j & 7)) << 2);
    for (; targets < end; targets += 4, value -= 28, sum += 28) {
      store<f32>(targets, load<f32>(value) + load<f32>(sum));
    }
  }
}

/**
 * Puts the errors of an anti-diagonal in the place of its values and adds them to the values near
 * below and to the right of each: in the same subtile, where factors up to a value's own are 0, and in
 * the next. `originals` has two subtiles, row-major, for each eight rows: those of even and of odd
 * anti-diagonals of subtiles. The tables have for each column the place of its block's factors, in
 * floats from `memory` on, the block's first column and the column after it.
 */
export function passOn(
  row: i32,
  column: i32,
  length: i32,
  memory: usize,
  above: usize,
  height: i32,
  rowFactors: usize,
  levels: usize,
  originals: usize,
  left: usize,
  width: i32,
  factors: usize,
  starts: usize,
  ends: usize,
): void {
  const stripBytes = <usize> height << LINE_SHIFT;
  for (let t = 0; t < length;) {
    const i = row + t, j = column - t;
    const count = valuesInSubtile(i, j, length - t);
    t += count;
    let r = <usize> (i & 7), c = <usize> (j & 7);
    const subtile = subtileAt(above, height, j, i);
    const hasBelow = (i | 7) + 1 < height;
    let down = rowFactors + <usize> (i >> 3) * stripBytes + (<usize> i << LINE_SHIFT);
    const original = originals +
      (<usize> ((i >> 3 << 1) + ((i >> 3) + (j >> 3) & 1)) << SUBTILE_SHIFT);
    let sums: usize = 0, right: usize = 0, blockStrip: usize = 0;
    let hasRight = false;
    if (left !== 0) {
      const entry = <usize> j << 2;
      const start = load<i32>(starts + entry), end = load<i32>(ends + entry);
      sums = subtileAt(left, width, i, j);
      blockStrip = <usize> (end - start) << LINE_SHIFT;
      right = memory + (<usize> load<i32>(factors + entry) << 2) +
        <usize> (j - start >> 3) * blockStrip + (<usize> (j - start) << LINE_SHIFT);
      hasRight = (j | 7) + 1 < end;
    }
    for (const end = levels + (<usize> count << 2); levels < end; levels += 4) {
      const level = load<f32>(levels);
      const line = subtile + (c << LINE_SHIFT);
      const value = load<f32>(line + (r << 2));
      const error = load<f32>(original + (r << LINE_SHIFT) + (c << 2)) - level;
      const w = f32x4.splat(error);
      addRow(line, w, down);
      if (hasBelow) addRow(line + (1 << SUBTILE_SHIFT), w, down + stripBytes);
      // After the vectors around it, so that none is loaded while a part of it is on its way.
      store<f32>(line + (r << 2), error);
      if (left !== 0) {
        const whitened = value - level;
        const q = f32x4.splat(whitened);
        const sumLine = sums + (r << LINE_SHIFT);
        addRow(sumLine, q, right);
        if (hasRight) addRow(sumLine + (1 << SUBTILE_SHIFT), q, right + blockStrip);
        store<f32>(sumLine + (c << 2), whitened);
        right -= 1 << LINE_SHIFT;
      }
      down += 1 << LINE_SHIFT;
      r++;
      c--;
    }
  }
}
