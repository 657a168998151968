// A product of matrices of float32, C = A B; AssemblyScript, compiled by bench/relaxed_simd.ts, which
// puts before it whether `multiplyAdd` is fused.
//
// A stands in panels of six rows, B in strips of eight columns, both in parts of DEPTH terms; a panel
// times a strip stays in registers. C has whole panels and strips.

const ROWS: i32 = 6;
const COLUMNS: i32 = 8;
/** Terms of a part: a strip of 8 kB stays in the nearest cache. */
const DEPTH: i32 = 256;

/** Writes A, row-major, in panels; rows that are missing are 0. */
export function packRows(rows: i32, depth: i32, from: usize, to: usize): void {
  for (let part = 0; part < depth; part += DEPTH) {
    const end = min(depth, part + DEPTH);
    for (let row = 0; row < rows; row += ROWS) {
      for (let p = part; p < end; p++) {
        for (let r = row; r < row + ROWS; r++, to += 4) {
          store<f32>(to, r < rows ? load<f32>(from + (<usize> (r * depth + p) << 2)) : 0);
        }
      }
    }
  }
}

/** Writes B, row-major, in strips; its columns are whole strips. */
export function packColumns(depth: i32, columns: i32, from: usize, to: usize): void {
  for (let part = 0; part < depth; part += DEPTH) {
    const end = min(depth, part + DEPTH);
    for (let column = 0; column < columns; column += COLUMNS) {
      for (let p = part; p < end; p++, to += 32) {
        const at = from + (<usize> (p * columns + column) << 2);
        v128.store(to, v128.load(at));
        v128.store(to, v128.load(at, 16), 16);
      }
    }
  }
}

/** Adds a panel times a strip to six rows of C. */
function addPanel(c: usize, stride: usize, a: usize, b: usize, depth: i32): void {
  const c1 = c + stride, c2 = c1 + stride, c3 = c2 + stride, c4 = c3 + stride, c5 = c4 + stride;
  let s00 = v128.load(c), s01 = v128.load(c, 16);
  let s10 = v128.load(c1), s11 = v128.load(c1, 16);
  let s20 = v128.load(c2), s21 = v128.load(c2, 16);
  let s30 = v128.load(c3), s31 = v128.load(c3, 16);
  let s40 = v128.load(c4), s41 = v128.load(c4, 16);
  let s50 = v128.load(c5), s51 = v128.load(c5, 16);
  for (const end = b + (<usize> depth << 5); b < end; b += 32, a += 24) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let w = v128.load32_splat(a);
    s00 = multiplyAdd(s00, w, b0);
    s01 = multiplyAdd(s01, w, b1);
    w = v128.load32_splat(a, 4);
    s10 = multiplyAdd(s10, w, b0);
    s11 = multiplyAdd(s11, w, b1);
    w = v128.load32_splat(a, 8);
    s20 = multiplyAdd(s20, w, b0);
    s21 = multiplyAdd(s21, w, b1);
    w = v128.load32_splat(a, 12);
    s30 = multiplyAdd(s30, w, b0);
    s31 = multiplyAdd(s31, w, b1);
    w = v128.load32_splat(a, 16);
    s40 = multiplyAdd(s40, w, b0);
    s41 = multiplyAdd(s41, w, b1);
    w = v128.load32_splat(a, 20);
    s50 = multiplyAdd(s50, w, b0);
    s51 = multiplyAdd(s51, w, b1);
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c1, s10);
  v128.store(c1, s11, 16);
  v128.store(c2, s20);
  v128.store(c2, s21, 16);
  v128.store(c3, s30);
  v128.store(c3, s31, 16);
  v128.store(c4, s40);
  v128.store(c4, s41, 16);
  v128.store(c5, s50);
  v128.store(c5, s51, 16);
}

/** C = A B, of packed A and B; C is row-major. */
export function multiply(
  rows: i32,
  depth: i32,
  columns: i32,
  a: usize,
  b: usize,
  c: usize,
): void {
  const stride = <usize> columns << 2;
  memory.fill(c, 0, <usize> rows * stride);
  for (let part = 0; part < depth; part += DEPTH) {
    const terms = min(DEPTH, depth - part);
    for (let column = 0; column < columns; column += COLUMNS) {
      let panel = a;
      for (let row = 0; row < rows; row += ROWS) {
        const to = c + <usize> row * stride + (<usize> column << 2);
        addPanel(to, stride, panel, b, terms);
        panel += <usize> terms * 24;
      }
      b += <usize> terms << 5;
    }
    a += <usize> (rows * terms) << 2;
  }
}
