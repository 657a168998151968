// Products of matrices of floats with a few vectors; AssemblyScript, see kernels/build_kernels.ts.
//
// Rows of a matrix are the outputs, filled up with zeros to a multiple of 16 values. Four rows are gone
// through together, a quarter of all apart: memory gives four long runs of bytes faster than one. What a
// row gives does not depend on how many vectors there are, nor on which rows a thread was given.

/** Bytes of a vector of four floats. */
const VECTOR: usize = 16;

/** Four bfloat16 as floats of 32 bits. */
function bfloat(at: usize): v128 {
  return i32x4.shl(v128.load16x4_u(at), 16);
}

/**
 * Four floats of 16 bits as floats of 32: a sign, 5 bits of exponent, of which 25 stands for 1, and 10 of
 * mantissa, without subnormal numbers.
 */
function half(at: usize): v128 {
  const bits = v128.and(i32x4.shl(v128.load16x4_s(at), 13), i32x4.splat(0x8fffe000));
  return f32x4.mul(bits, f32x4.splat(reinterpret<f32>((102 + 127) << 23)));
}

/** Floats of 16 bits as floats of 32. */
function widen(kind: i32, from: usize, count: i32, to: usize): void {
  const end = from + (<usize> count << 1);
  if (kind == 1) {
    for (; from < end; from += 8, to += VECTOR) v128.store(to, bfloat(from));
  } else {
    for (; from < end; from += 8, to += VECTOR) v128.store(to, half(from));
  }
}

/** Where the rows are whose products are summed up, and which they are. */
let rows: usize = 0;
let apart: usize = 0;
let row: i32 = 0;
let quarter: i32 = 0;
let last: i32 = 0;

function sumOf(lanes: v128): f32 {
  const pairs = f32x4.add(lanes, i32x4.shuffle(lanes, lanes, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

function putFour(offset: usize, a: v128, b: v128, c: v128, d: v128): void {
  put(row, offset, sumOf(a));
  if (row + quarter < last) put(row + quarter, offset, sumOf(b));
  if (row + 2 * quarter < last) put(row + 2 * quarter, offset, sumOf(c));
  if (row + 3 * quarter < last) put(row + 3 * quarter, offset, sumOf(d));
}

function dotFloats(from: usize, step: usize, x: usize, end: usize, offset: usize): void {
  const second = from + step, third = second + step, fourth = third + step;
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (let at: usize = 0; x < end; at += VECTOR, x += VECTOR) {
    const value = v128.load(x);
    a = f32x4.add(a, f32x4.mul(v128.load(from + at), value));
    b = f32x4.add(b, f32x4.mul(v128.load(second + at), value));
    c = f32x4.add(c, f32x4.mul(v128.load(third + at), value));
    d = f32x4.add(d, f32x4.mul(v128.load(fourth + at), value));
  }
  putFour(offset, a, b, c, d);
}

function dotBfloats(x: usize, end: usize): void {
  const second = rows + apart, third = second + apart, fourth = third + apart;
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (let at: usize = 0; x < end; at += 8, x += VECTOR) {
    const value = v128.load(x);
    a = f32x4.add(a, f32x4.mul(bfloat(rows + at), value));
    b = f32x4.add(b, f32x4.mul(bfloat(second + at), value));
    c = f32x4.add(c, f32x4.mul(bfloat(third + at), value));
    d = f32x4.add(d, f32x4.mul(bfloat(fourth + at), value));
  }
  putFour(0, a, b, c, d);
}

function dotHalves(x: usize, end: usize): void {
  const second = rows + apart, third = second + apart, fourth = third + apart;
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (let at: usize = 0; x < end; at += 8, x += VECTOR) {
    const value = v128.load(x);
    a = f32x4.add(a, f32x4.mul(half(rows + at), value));
    b = f32x4.add(b, f32x4.mul(half(second + at), value));
    c = f32x4.add(c, f32x4.mul(half(third + at), value));
    d = f32x4.add(d, f32x4.mul(half(fourth + at), value));
  }
  putFour(0, a, b, c, d);
}

/**
 * Rows `first` to `end` (exclusive) of a matrix of floats, times `vectors` vectors of `columns` values,
 * `vectorBytes` apart, whose results are `outputBytes` apart. `kind` 0: of 32 bits, 1: bfloat16, 2: the
 * other ones of 16; of those, four rows at a time are widened at `panel` for several vectors. Memory
 * after the matrix is read, and does not matter.
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
  quarter = (end - first + 3) >> 2;
  apart = stride * quarter;
  last = end;
  const widens = kind != 0 && vectors > 1;
  for (row = first; row < first + quarter; row++) {
    rows = matrix + stride * row;
    if (kind != 0 && vectors == 1) {
      if (kind == 1) dotBfloats(x, x + wide);
      else dotHalves(x, x + wide);
      continue;
    }
    for (let i: usize = 0; widens && i < 4; i++) {
      widen(kind, rows + i * apart, columns, panel + i * wide);
    }
    for (let vector = 0; vector < vectors; vector++) {
      const from = x + vectorBytes * vector;
      const offset = outputBytes * vector;
      dotFloats(widens ? panel : rows, widens ? wide : apart, from, from + wide, offset);
    }
  }
}

/** Row `row` of a matrix of floats; `kind` as in {@link multiplyFloats}. */
export function expandFloats(kind: i32, matrix: usize, row: i32, columns: i32, to: usize): void {
  const at = matrix + (<usize> row * columns << (kind == 0 ? 2 : 1));
  if (kind == 0) memory.copy(to, at, <usize> columns << 2);
  else widen(kind, at, columns, to);
}
