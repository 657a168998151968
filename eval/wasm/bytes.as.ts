// Products of matrices of bytes with a few vectors, as those of floats; AssemblyScript, see
// kernels/build_kernels.ts.

/** Columns after which sums of 32 bits are emptied: 256 times 2 products of 7 and 14 bits. */
const BLOCK: i32 = 2048;

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

function sumOfIntegers(lanes: v128): f64 {
  const pairs = f64x2.add(
    f64x2.convert_low_i32x4_s(lanes),
    f64x2.convert_low_i32x4_s(i32x4.shuffle(lanes, lanes, 2, 3, 0, 1)),
  );
  return f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1);
}

/** 2^15 times the sum of products with the high parts, and that with the low ones. */
function joined(high: v128, low: v128): f64 {
  return 32768 * sumOfIntegers(high) + sumOfIntegers(low);
}

/**
 * As the kernel of floats does, of bytes with a factor for each row, times vectors that `splitVector`
 * made, whose steps are at `steps`.
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
  const quarter = (end - first + 3) >> 2;
  const apart = stride * quarter;
  for (let row = first; row < first + quarter; row++) {
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
          w = v128.load8x8_s(at + apart);
          b = i32x4.add(b, i32x4.dot_i16x8_s(w, major));
          f = i32x4.add(f, i32x4.dot_i16x8_s(w, minor));
          w = v128.load8x8_s(at + 2 * apart);
          c = i32x4.add(c, i32x4.dot_i16x8_s(w, major));
          g = i32x4.add(g, i32x4.dot_i16x8_s(w, minor));
          w = v128.load8x8_s(at + 3 * apart);
          d = i32x4.add(d, i32x4.dot_i16x8_s(w, major));
          h = i32x4.add(h, i32x4.dot_i16x8_s(w, minor));
        }
        sumA += joined(a, e);
        sumB += joined(b, f);
        sumC += joined(c, g);
        sumD += joined(d, h);
      }
      const step = <f64> load<f32>(steps + (<usize> vector << 2));
      const offset = outputBytes * vector;
      putScaled(row, end, offset, sumA * step, factors);
      putScaled(row + quarter, end, offset, sumB * step, factors);
      putScaled(row + 2 * quarter, end, offset, sumC * step, factors);
      putScaled(row + 3 * quarter, end, offset, sumD * step, factors);
    }
  }
}

function putScaled(row: i32, end: i32, offset: usize, sum: f64, factors: usize): void {
  if (row < end) put(row, offset, sum * load<f32>(factors + (<usize> row << 2)));
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
 * Row `row` of a matrix of bytes as floats, times its columns' factors and the rows'; added to what is
 * there if asked.
 */
export function expandBytes(
  matrix: usize,
  row: i32,
  columns: i32,
  columnFactors: usize,
  rowFactors: usize,
  adds: bool,
  to: usize,
): void {
  const factor = load<f32>(rowFactors + (<usize> row << 2));
  const bytes = matrix + <usize> row * columns;
  for (let j = 0; j < columns; j++) {
    const at = <usize> j << 2;
    const value = <f32> load<i8>(bytes + j) * (factor * load<f32>(columnFactors + at));
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
