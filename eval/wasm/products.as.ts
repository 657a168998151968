// Products of stored matrices with a few vectors; AssemblyScript, see kernels/build_kernels.ts.
//
// Rows of a matrix are the outputs, padded with zeros to a multiple of 16 values. Four rows are gone
// through together, so that a vector is loaded once for them. What a row gives does not depend on how
// many vectors there are, nor on which rows a thread was given.

/** Bytes of a vector of four floats. */
const VECTOR: usize = 16;
/** Columns after which sums of 32 bits are emptied: 256 times 2 products of 7 and 14 bits. */
const BLOCK: i32 = 2048;

/** Where results go: y[row] of a vector, with or without what is there. */
let outputs: usize = 0;
let bias: usize = 0;
let adds: bool = false;
let factor: f32 = 1;

/**
 * Says what is done with the sums of products: the bias is added where there is one (0: none), the
 * result times `scale` is added to what is at `y`, or replaces it.
 */
export function setOutput(y: usize, biasAt: usize, add: bool, scale: f32): void {
  outputs = y;
  bias = biasAt;
  adds = add;
  factor = scale;
}

function put(row: i32, offset: usize, sum: f64): void {
  const at = <usize> row << 2;
  if (bias != 0) sum += <f64> load<f32>(bias + at);
  const to = outputs + offset + at;
  const value = factor * <f32> sum;
  store<f32>(to, adds ? load<f32>(to) + value : value);
}

// @ts-ignore: decorator

function sumOf(lanes: v128): f32 {
  const pairs = f32x4.add(lanes, i32x4.shuffle(lanes, lanes, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** Floats of 16 bits as floats of 32; `kind` 1: bfloat16, 2: half precision. */
function widen(kind: i32, from: usize, count: i32, to: usize): void {
  if (kind == 1) {
    for (let i = 0; i < count; i += 4, from += 8, to += VECTOR) {
      v128.store(to, i32x4.shl(v128.load16x4_u(from), 16));
    }
    return;
  }
  // Exponent and mantissa keep their places; the exponents' bias differs by 112.
  const magnitude = i32x4.splat(0x7fff), rebias = f32x4.splat(<f32> 5.192296858534828e33);
  for (let i = 0; i < count; i += 4, from += 8, to += VECTOR) {
    const half = v128.load16x4_u(from);
    const size = f32x4.mul(i32x4.shl(v128.and(half, magnitude), 13), rebias);
    const sign = i32x4.shl(v128.andnot(half, magnitude), 16);
    v128.store(to, v128.or(size, sign));
  }
}

/**
 * Rows `first` to `end` (exclusive) of a matrix of floats, times `vectors` vectors of `columns` values,
 * `vectorBytes` apart, whose results are `outputBytes` apart. `kind` 0: 32 bits, 1: bfloat16, 2: half
 * precision; of the latter, four rows at a time are widened at `panel`.
 */
export function multiplyFloats(
  kind: i32,
  matrix: usize,
  columns: i32,
  first: i32,
  end: i32,
  x: usize,
  vectorBytes: usize,
  vectors: i32,
  outputBytes: usize,
  panel: usize,
): void {
  const wide = <usize> columns << 2;
  const stride = kind == 0 ? wide : wide >> 1;
  for (let row = first; row < end; row += 4) {
    let rows = matrix + stride * row;
    if (kind != 0) {
      widen(kind, rows, columns * min(4, end - row), panel);
      rows = panel;
    }
    const second = rows + wide, third = second + wide, fourth = third + wide;
    for (let vector = 0; vector < vectors; vector++) {
      const values = x + vectorBytes * vector;
      let a = f32x4.splat(0), b = a, c = a, d = a;
      for (let at: usize = 0; at < wide; at += VECTOR) {
        const value = v128.load(values + at);
        a = f32x4.add(a, f32x4.mul(v128.load(rows + at), value));
        b = f32x4.add(b, f32x4.mul(v128.load(second + at), value));
        c = f32x4.add(c, f32x4.mul(v128.load(third + at), value));
        d = f32x4.add(d, f32x4.mul(v128.load(fourth + at), value));
      }
      const offset = outputBytes * vector;
      put(row, offset, sumOf(a));
      if (row + 1 < end) put(row + 1, offset, sumOf(b));
      if (row + 2 < end) put(row + 2, offset, sumOf(c));
      if (row + 3 < end) put(row + 3, offset, sumOf(d));
    }
  }
}

/**
 * Makes integers of `count` floats x, a multiple of 8: x is about `step` times (2^15 high + low), to
 * 2^-29 of the largest magnitude. Stores the high parts, then the low ones, 16 bits each, and the
 * step, a power of two.
 */
export function splitVector(x: usize, count: i32, to: usize, step: usize): void {
  let most = f32x4.splat(0);
  for (let i = 0; i < count; i += 4) {
    most = f32x4.max(most, f32x4.abs(v128.load(x + (<usize> i << 2))));
  }
  const largest = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  // The exponent is bounded so that neither the step nor its inverse leaves the normal floats.
  const exponent = min(max(<i32> (reinterpret<u32>(largest) >> 23), 30), 252);
  const inverse = f32x4.splat(reinterpret<f32>(<u32> (282 - exponent) << 23 & 0x7f800000));
  const low = to + (<usize> count << 1);
  const half = i32x4.splat(0x4000);
  for (let i = 0; i < count; i += 8) {
    const at = x + (<usize> i << 2);
    const first = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at), inverse)));
    const last = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at, 16), inverse)));
    const firstHigh = i32x4.shr_s(i32x4.add(first, half), 15);
    const lastHigh = i32x4.shr_s(i32x4.add(last, half), 15);
    const offset = <usize> i << 1;
    v128.store(to + offset, i16x8.narrow_i32x4_s(firstHigh, lastHigh));
    v128.store(
      low + offset,
      i16x8.narrow_i32x4_s(
        i32x4.sub(first, i32x4.shl(firstHigh, 15)),
        i32x4.sub(last, i32x4.shl(lastHigh, 15)),
      ),
    );
  }
  store<u32>(step, <u32> (exponent - 28) << 23);
}

// @ts-ignore: decorator

function sumOfIntegers(lanes: v128): f64 {
  const pairs = f64x2.add(
    f64x2.convert_low_i32x4_s(lanes),
    f64x2.convert_low_i32x4_s(i32x4.shuffle(lanes, lanes, 2, 3, 0, 1)),
  );
  return f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1);
}

/** 2^15 times the sum of products with the high parts, and that with the low ones. */
// @ts-ignore: decorator

function joined(high: v128, low: v128): f64 {
  return 32768 * sumOfIntegers(high) + sumOfIntegers(low);
}

/**
 * As {@link multiplyFloats}, of bytes with a factor for each row, times vectors that `splitVector` made,
 * whose steps are at `steps`.
 */
export function multiplyBytes(
  matrix: usize,
  factors: usize,
  columns: i32,
  first: i32,
  end: i32,
  x: usize,
  vectorBytes: usize,
  steps: usize,
  vectors: i32,
  outputBytes: usize,
): void {
  const stride = <usize> columns;
  for (let row = first; row < end; row += 4) {
    const rows = matrix + stride * row;
    for (let vector = 0; vector < vectors; vector++) {
      const high = x + vectorBytes * vector;
      const low = high + (stride << 1);
      let sumA: f64 = 0, sumB: f64 = 0, sumC: f64 = 0, sumD: f64 = 0;
      for (let from = 0; from < columns; from += BLOCK) {
        const to = <usize> min(columns, from + BLOCK);
        const zero = i32x4.splat(0);
        let a = zero, b = zero, c = zero, d = zero;
        let e = zero, f = zero, g = zero, h = zero;
        for (let j = <usize> from; j < to; j += 8) {
          const major = v128.load(high + (j << 1)), minor = v128.load(low + (j << 1));
          const at = rows + j;
          let w = v128.load8x8_s(at);
          a = i32x4.add(a, i32x4.dot_i16x8_s(w, major));
          e = i32x4.add(e, i32x4.dot_i16x8_s(w, minor));
          w = v128.load8x8_s(at + stride);
          b = i32x4.add(b, i32x4.dot_i16x8_s(w, major));
          f = i32x4.add(f, i32x4.dot_i16x8_s(w, minor));
          w = v128.load8x8_s(at + (stride << 1));
          c = i32x4.add(c, i32x4.dot_i16x8_s(w, major));
          g = i32x4.add(g, i32x4.dot_i16x8_s(w, minor));
          w = v128.load8x8_s(at + 3 * stride);
          d = i32x4.add(d, i32x4.dot_i16x8_s(w, major));
          h = i32x4.add(h, i32x4.dot_i16x8_s(w, minor));
        }
        sumA += joined(a, e);
        sumB += joined(b, f);
        sumC += joined(c, g);
        sumD += joined(d, h);
      }
      const step = <f64> load<f32>(steps + (<usize> vector << 2));
      const scales = factors + (<usize> row << 2);
      const offset = outputBytes * vector;
      put(row, offset, sumA * step * load<f32>(scales));
      if (row + 1 < end) put(row + 1, offset, sumB * step * load<f32>(scales, 4));
      if (row + 2 < end) put(row + 2, offset, sumC * step * load<f32>(scales, 8));
      if (row + 3 < end) put(row + 3, offset, sumD * step * load<f32>(scales, 12));
    }
  }
}

/**
 * Adds what the values that fit no byte give, times a row's factor and that of the output: `starts` has
 * where each row's begin, `places` their columns, `values` what is missing there.
 */
export function addSparse(
  starts: usize,
  places: usize,
  values: usize,
  factors: usize,
  first: i32,
  end: i32,
  x: usize,
  vectorBytes: usize,
  vectors: i32,
  outputBytes: usize,
): void {
  for (let row = first; row < end; row++) {
    const from = load<u32>(starts + (<usize> row << 2)),
      to = load<u32>(starts + (<usize> row << 2), 4);
    if (from == to) continue;
    for (let vector = 0; vector < vectors; vector++) {
      const input = x + vectorBytes * vector;
      let sum: f64 = 0;
      for (let i = from; i < to; i++) {
        const at = <usize> i << 2;
        const value = load<f32>(input + (<usize> load<u32>(places + at) << 2));
        sum += <f64> load<f32>(values + at) * <f64> value;
      }
      const result = outputs + outputBytes * vector + (<usize> row << 2);
      const scaled = <f32> (sum * load<f32>(factors + (<usize> row << 2)));
      store<f32>(result, load<f32>(result) + factor * scaled);
    }
  }
}

/**
 * A row of bytes as floats, times its columns' factors and its own, which is at `rowFactor`; added to
 * what is there if asked.
 */
export function expandBytes(
  row: usize,
  columns: i32,
  columnFactors: usize,
  rowFactor: usize,
  adds: bool,
  to: usize,
): void {
  const factor = load<f32>(rowFactor);
  for (let j = 0; j < columns; j++) {
    const at = <usize> j << 2;
    const value = <f32> load<i8>(row + j) * (factor * load<f32>(columnFactors + at));
    store<f32>(to + at, adds ? load<f32>(to + at) + value : value);
  }
}

/** Adds to a row, expanded from bytes, what fits no byte: see {@link addSparse}. */
export function expandSparse(
  starts: usize,
  places: usize,
  values: usize,
  rowFactors: usize,
  columnFactors: usize,
  row: i32,
  to: usize,
): void {
  const place = <usize> row << 2;
  const end = load<u32>(starts + place, 4);
  const rowFactor = load<f32>(rowFactors + place);
  for (let i = load<u32>(starts + place); i < end; i++) {
    const at = <usize> i << 2;
    const column = <usize> load<u32>(places + at) << 2;
    const value = load<f32>(values + at) * (rowFactor * load<f32>(columnFactors + column));
    store<f32>(to + column, load<f32>(to + column) + value);
  }
}

/** A row of floats of 16 or 32 bits as floats of 32; `kind` as in {@link multiplyFloats}. */
export function expandFloats(kind: i32, row: usize, columns: i32, to: usize): void {
  if (kind == 0) memory.copy(to, row, <usize> columns << 2);
  else widen(kind, row, columns, to);
}
