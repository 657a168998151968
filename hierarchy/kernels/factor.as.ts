// Subtracts a matrix product from a matrix, in float64; AssemblyScript, see kernels/build_kernels.ts.
//
// Every element is subtracted from in order, with a rounding after each multiplication and each
// subtraction, so that the result is the same on every machine.

/** Rows and columns of the tile that stays in registers: 12 vectors of sums, 2 + 1 of operands. */
const TILE_ROWS: i32 = 6;
const TILE_COLUMNS: i32 = 4;

/** Copies 4 columns of a matrix, so that the tiles' loads follow each other. */
function packStrip(from: usize, stride: usize, depth: i32, to: usize): void {
  for (let p = 0; p < depth; p++) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    from += stride;
    to += 32;
  }
}

function multiplySubtract(sum: v128, a: v128, b: v128): v128 {
  return f64x2.sub(sum, f64x2.mul(a, b));
}

/** Subtracts from 6 x 4 elements the product of a packed tile of rows and a packed strip. */
function subtractTile(depth: i32, a: usize, b: usize, c: usize, stride: usize): void {
  const c1 = c + stride, c2 = c1 + stride, c3 = c2 + stride, c4 = c3 + stride, c5 = c4 + stride;
  let s00 = v128.load(c), s01 = v128.load(c, 16);
  let s10 = v128.load(c1), s11 = v128.load(c1, 16);
  let s20 = v128.load(c2), s21 = v128.load(c2, 16);
  let s30 = v128.load(c3), s31 = v128.load(c3, 16);
  let s40 = v128.load(c4), s41 = v128.load(c4, 16);
  let s50 = v128.load(c5), s51 = v128.load(c5, 16);
  for (let p = 0; p < depth; p++) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let w = v128.load64_splat(a);
    s00 = multiplySubtract(s00, w, b0);
    s01 = multiplySubtract(s01, w, b1);
    w = v128.load64_splat(a, 8);
    s10 = multiplySubtract(s10, w, b0);
    s11 = multiplySubtract(s11, w, b1);
    w = v128.load64_splat(a, 16);
    s20 = multiplySubtract(s20, w, b0);
    s21 = multiplySubtract(s21, w, b1);
    w = v128.load64_splat(a, 24);
    s30 = multiplySubtract(s30, w, b0);
    s31 = multiplySubtract(s31, w, b1);
    w = v128.load64_splat(a, 32);
    s40 = multiplySubtract(s40, w, b0);
    s41 = multiplySubtract(s41, w, b1);
    w = v128.load64_splat(a, 40);
    s50 = multiplySubtract(s50, w, b0);
    s51 = multiplySubtract(s51, w, b1);
    a += 48;
    b += 32;
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

/**
 * C -= A B with A `rows` x `depth`, packed in tiles of 6 rows, [tile][depth][6]; B `depth` x
 * `columns` and C `rows` x `columns`, row-major. `rows` is a multiple of 6, `columns` of 4; `strip`
 * has room for 4 * depth numbers.
 */
export function subtractProduct(
  rows: i32,
  columns: i32,
  depth: i32,
  a: usize,
  b: usize,
  c: usize,
  strip: usize,
): void {
  const stride = <usize> columns << 3;
  const tileBytes = <usize> (depth * TILE_ROWS) << 3;
  for (let j = 0; j < columns; j += TILE_COLUMNS) {
    const offset = <usize> j << 3;
    packStrip(b + offset, stride, depth, strip);
    let tile = a, target = c + offset;
    for (let i = 0; i < rows; i += TILE_ROWS) {
      subtractTile(depth, tile, strip, target, stride);
      tile += tileBytes;
      target += stride * TILE_ROWS;
    }
  }
}
