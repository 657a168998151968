// Adds a matrix product to a matrix, in float32; AssemblyScript, see build_kernels.ts.
//
// Every element is summed in order, with a rounding after each multiplication and each addition, so
// that the result is the same on every machine: fused or relaxed multiply-add would not be.

/** Rows and columns of the tile that stays in registers: 12 vectors of sums, 2 + 1 of operands. */
const TILE_ROWS: i32 = 6;
const TILE_COLUMNS: i32 = 8;

/** Copies 8 columns of a matrix, so that the tiles' loads follow each other. */
function packStrip(from: usize, stride: usize, depth: i32, to: usize): void {
  for (let p = 0; p < depth; p++) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    from += stride;
    to += 32;
  }
}

function multiplyAdd(sum: v128, a: v128, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(a, b));
}

/** Adds to 6 x 8 elements the product of a packed tile of rows and a packed strip of columns. */
function addTile(depth: i32, a: usize, b: usize, c: usize, stride: usize): void {
  const c1 = c + stride, c2 = c1 + stride, c3 = c2 + stride, c4 = c3 + stride, c5 = c4 + stride;
  let s00 = v128.load(c), s01 = v128.load(c, 16);
  let s10 = v128.load(c1), s11 = v128.load(c1, 16);
  let s20 = v128.load(c2), s21 = v128.load(c2, 16);
  let s30 = v128.load(c3), s31 = v128.load(c3, 16);
  let s40 = v128.load(c4), s41 = v128.load(c4, 16);
  let s50 = v128.load(c5), s51 = v128.load(c5, 16);
  for (let p = 0; p < depth; p++) {
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
    a += 24;
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
 * C += A B with A `rows` x `depth`, packed in tiles of 6 rows, [tile][depth][6]; B `depth` x
 * `columns` and C `rows` x `columns`, row-major. `rows` is a multiple of 6, `columns` of 8; `strip`
 * has room for 8 * depth floats.
 */
export function addProduct(
  rows: i32,
  columns: i32,
  depth: i32,
  a: usize,
  b: usize,
  c: usize,
  strip: usize,
): void {
  const stride = <usize> columns << 2;
  const tileBytes = <usize> (depth * TILE_ROWS) << 2;
  for (let j = 0; j < columns; j += TILE_COLUMNS) {
    const offset = <usize> j << 2;
    packStrip(b + offset, stride, depth, strip);
    let tile = a, target = c + offset;
    for (let i = 0; i < rows; i += TILE_ROWS) {
      addTile(depth, tile, strip, target, stride);
      tile += tileBytes;
      target += stride * TILE_ROWS;
    }
  }
}
