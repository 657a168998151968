// Products of matrices of float32; stands after what adds a product to a sum; AssemblyScript, see
// kernels/build_kernels.ts.
//
// A stands in panels of four rows, B in strips of up to twelve columns: a panel times a strip stays in
// registers. Both are packed a block at a time, so that a strip stays in the nearest cache, a block of A
// in the next, and other work on the machine disturbs little. Strides are in bytes, so that each matrix
// may be transposed or part of another.

const ROWS: i32 = 4;
const COLUMNS: i32 = 12;
/** Terms of a block: a strip of 12 kB stays in the nearest cache. */
const DEPTH: i32 = 256;
/** Rows of a block of A. */
const BLOCK_ROWS: i32 = 48;
/** Columns of a block of B. */
const BLOCK_COLUMNS: i32 = 480;

// Places in the scratch memory.
const PACKED_A: usize = 4 * <usize> (BLOCK_COLUMNS * DEPTH);
const EDGE: usize = PACKED_A + 4 * <usize> (BLOCK_ROWS * DEPTH);
const ZEROS: usize = EDGE + 4 * <usize> (ROWS * COLUMNS);
const SCRATCH: usize = ZEROS + 4 * <usize> COLUMNS;

/** Bytes of scratch memory that products need. */
export function productScratch(): usize {
  return SCRATCH;
}

/** Writes four values of up to four lanes at each term, 0 for lanes that are missing. */
function packLanes(
  from: usize,
  laneBytes: usize,
  termBytes: usize,
  lanes: i32,
  terms: i32,
  to: usize,
  toBytes: usize,
): void {
  if (lanes >= 4 && laneBytes == 4) {
    for (let term = 0; term < terms; term++, from += termBytes, to += toBytes) {
      v128.store(to, v128.load(from));
    }
    return;
  }
  let term = 0;
  if (lanes >= 4 && termBytes == 4) {
    for (; term + 4 <= terms; term += 4, from += 16, to += 4 * toBytes) {
      const a = v128.load(from), b = v128.load(from + laneBytes);
      const c = v128.load(from + 2 * laneBytes), d = v128.load(from + 3 * laneBytes);
      const ab = i32x4.shuffle(a, b, 0, 4, 1, 5), cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
      const ef = i32x4.shuffle(a, b, 2, 6, 3, 7), gh = i32x4.shuffle(c, d, 2, 6, 3, 7);
      v128.store(to, i64x2.shuffle(ab, cd, 0, 2));
      v128.store(to + toBytes, i64x2.shuffle(ab, cd, 1, 3));
      v128.store(to + 2 * toBytes, i64x2.shuffle(ef, gh, 0, 2));
      v128.store(to + 3 * toBytes, i64x2.shuffle(ef, gh, 1, 3));
    }
  }
  for (; term < terms; term++, from += termBytes, to += toBytes) {
    for (let lane = 0; lane < 4; lane++) {
      const value: f32 = lane < lanes ? load<f32>(from + <usize> lane * laneBytes) : 0;
      store<f32>(to + (<usize> lane << 2), value);
    }
  }
}

/** Four rows of a strip of 12 columns: what is at `from` plus a panel times the strip. */
function tile12(
  from: usize,
  fromBytes: usize,
  to: usize,
  toBytes: usize,
  a: usize,
  b: usize,
  terms: i32,
): void {
  let s00 = v128.load(from), s01 = v128.load(from, 16), s02 = v128.load(from, 32);
  let s10 = v128.load(from + fromBytes),
    s11 = v128.load(from + fromBytes, 16),
    s12 = v128.load(from + fromBytes, 32);
  let s20 = v128.load(from + 2 * fromBytes),
    s21 = v128.load(from + 2 * fromBytes, 16),
    s22 = v128.load(from + 2 * fromBytes, 32);
  let s30 = v128.load(from + 3 * fromBytes),
    s31 = v128.load(from + 3 * fromBytes, 16),
    s32 = v128.load(from + 3 * fromBytes, 32);
  for (const end = b + <usize> terms * 48; b < end; b += 48, a += 16) {
    const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32);
    let w = v128.load32_splat(a);
    s00 = multiplyAdd(s00, w, b0);
    s01 = multiplyAdd(s01, w, b1);
    s02 = multiplyAdd(s02, w, b2);
    w = v128.load32_splat(a, 4);
    s10 = multiplyAdd(s10, w, b0);
    s11 = multiplyAdd(s11, w, b1);
    s12 = multiplyAdd(s12, w, b2);
    w = v128.load32_splat(a, 8);
    s20 = multiplyAdd(s20, w, b0);
    s21 = multiplyAdd(s21, w, b1);
    s22 = multiplyAdd(s22, w, b2);
    w = v128.load32_splat(a, 12);
    s30 = multiplyAdd(s30, w, b0);
    s31 = multiplyAdd(s31, w, b1);
    s32 = multiplyAdd(s32, w, b2);
  }
  v128.store(to, s00);
  v128.store(to, s01, 16);
  v128.store(to, s02, 32);
  v128.store(to + toBytes, s10);
  v128.store(to + toBytes, s11, 16);
  v128.store(to + toBytes, s12, 32);
  v128.store(to + 2 * toBytes, s20);
  v128.store(to + 2 * toBytes, s21, 16);
  v128.store(to + 2 * toBytes, s22, 32);
  v128.store(to + 3 * toBytes, s30);
  v128.store(to + 3 * toBytes, s31, 16);
  v128.store(to + 3 * toBytes, s32, 32);
}

/** Four rows of a strip of 8 columns: what is at `from` plus a panel times the strip. */
function tile8(
  from: usize,
  fromBytes: usize,
  to: usize,
  toBytes: usize,
  a: usize,
  b: usize,
  terms: i32,
): void {
  let s00 = v128.load(from), s01 = v128.load(from, 16);
  let s10 = v128.load(from + fromBytes), s11 = v128.load(from + fromBytes, 16);
  let s20 = v128.load(from + 2 * fromBytes), s21 = v128.load(from + 2 * fromBytes, 16);
  let s30 = v128.load(from + 3 * fromBytes), s31 = v128.load(from + 3 * fromBytes, 16);
  for (const end = b + <usize> terms * 32; b < end; b += 32, a += 16) {
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
  }
  v128.store(to, s00);
  v128.store(to, s01, 16);
  v128.store(to + toBytes, s10);
  v128.store(to + toBytes, s11, 16);
  v128.store(to + 2 * toBytes, s20);
  v128.store(to + 2 * toBytes, s21, 16);
  v128.store(to + 3 * toBytes, s30);
  v128.store(to + 3 * toBytes, s31, 16);
}

/** Four rows of a strip of 4 columns: what is at `from` plus a panel times the strip. */
function tile4(
  from: usize,
  fromBytes: usize,
  to: usize,
  toBytes: usize,
  a: usize,
  b: usize,
  terms: i32,
): void {
  let s00 = v128.load(from);
  let s10 = v128.load(from + fromBytes);
  let s20 = v128.load(from + 2 * fromBytes);
  let s30 = v128.load(from + 3 * fromBytes);
  for (const end = b + <usize> terms * 16; b < end; b += 16, a += 16) {
    const b0 = v128.load(b);
    let w = v128.load32_splat(a);
    s00 = multiplyAdd(s00, w, b0);
    w = v128.load32_splat(a, 4);
    s10 = multiplyAdd(s10, w, b0);
    w = v128.load32_splat(a, 8);
    s20 = multiplyAdd(s20, w, b0);
    w = v128.load32_splat(a, 12);
    s30 = multiplyAdd(s30, w, b0);
  }
  v128.store(to, s00);
  v128.store(to + toBytes, s10);
  v128.store(to + 2 * toBytes, s20);
  v128.store(to + 3 * toBytes, s30);
}

function tile(
  width: i32,
  from: usize,
  fromBytes: usize,
  to: usize,
  toBytes: usize,
  a: usize,
  b: usize,
  terms: i32,
): void {
  if (width == 12) tile12(from, fromBytes, to, toBytes, a, b, terms);
  else if (width == 8) tile8(from, fromBytes, to, toBytes, a, b, terms);
  else tile4(from, fromBytes, to, toBytes, a, b, terms);
}

/** As {@link tile}, of less than four rows or than the strip's columns. */
function edgeTile(
  rows: i32,
  columns: i32,
  width: i32,
  from: usize,
  fromBytes: usize,
  to: usize,
  toBytes: usize,
  a: usize,
  b: usize,
  terms: i32,
  scratch: usize,
): void {
  const edge = scratch + EDGE;
  memory.fill(edge, 0, 4 * <usize> (ROWS * COLUMNS));
  const bytes = <usize> columns << 2;
  for (let row = 0; row < rows && from != 0; row++) {
    memory.copy(edge + <usize> (row * COLUMNS << 2), from + <usize> row * fromBytes, bytes);
  }
  tile(width, edge, 4 * COLUMNS, edge, 4 * COLUMNS, a, b, terms);
  for (let row = 0; row < rows; row++) {
    memory.copy(to + <usize> row * toBytes, edge + <usize> (row * COLUMNS << 2), bytes);
  }
}

/**
 * C = F + A B, of `rows` rows, `depth` terms and `columns` columns. F is at `from`, rows `fromBytes` apart
 * (0: the same row for all); there is none if `from` is 0. If `lower`, tiles above the diagonal are not
 * written. `scratch` has {@link productScratch} bytes.
 */
export function multiply(
  rows: i32,
  depth: i32,
  columns: i32,
  a: usize,
  aRowBytes: usize,
  aTermBytes: usize,
  b: usize,
  bTermBytes: usize,
  bColumnBytes: usize,
  c: usize,
  cRowBytes: usize,
  from: usize,
  fromBytes: usize,
  lower: bool,
  scratch: usize,
): void {
  const zeros = scratch + ZEROS;
  memory.fill(zeros, 0, 4 * COLUMNS);
  for (let left = 0; left < columns; left += BLOCK_COLUMNS) {
    const right = min(columns, left + BLOCK_COLUMNS);
    for (let part = 0; part < depth; part += DEPTH) {
      const terms = min(DEPTH, depth - part);
      const corner = b + <usize> part * bTermBytes;
      for (let column = left, to = scratch; column < right; column += COLUMNS) {
        const width = min(COLUMNS, (right - column + 3) & ~3);
        for (let lane = 0; lane < width; lane += 4) {
          const at = corner + <usize> (column + lane) * bColumnBytes;
          const lanes = right - column - lane;
          const group = to + (<usize> lane << 2);
          packLanes(at, bColumnBytes, bTermBytes, lanes, terms, group, <usize> width << 2);
        }
        to += <usize> (width * terms) << 2;
      }
      for (let top = lower ? left - left % ROWS : 0; top < rows; top += BLOCK_ROWS) {
        const bottom = min(rows, top + BLOCK_ROWS);
        for (let row = top, to = scratch + PACKED_A; row < bottom; row += ROWS) {
          const at = a + <usize> row * aRowBytes + <usize> part * aTermBytes;
          packLanes(at, aRowBytes, aTermBytes, bottom - row, terms, to, 4 * ROWS);
          to += <usize> (ROWS * terms) << 2;
        }
        let strip = scratch;
        for (let column = left; column < right; column += COLUMNS) {
          const width = min(COLUMNS, (right - column + 3) & ~3);
          const isWhole = column + width <= right;
          const first = lower && column > top ? (column - top) / ROWS * ROWS + top : top;
          let panel = scratch + PACKED_A + (<usize> ((first - top) * terms) << 2);
          for (let row = first; row < bottom; row += ROWS) {
            const across = <usize> column << 2;
            const to = c + <usize> row * cRowBytes + across;
            let before = to, beforeBytes = cRowBytes;
            if (part == 0) {
              before = from == 0 ? 0 : from + <usize> row * fromBytes + across;
              beforeBytes = fromBytes;
            }
            if (isWhole && row + ROWS <= bottom) {
              if (before == 0) tile(width, zeros, 0, to, cRowBytes, panel, strip, terms);
              else tile(width, before, beforeBytes, to, cRowBytes, panel, strip, terms);
            } else {
              edgeTile(
                min(ROWS, bottom - row),
                min(COLUMNS, right - column),
                width,
                before,
                beforeBytes,
                to,
                cRowBytes,
                panel,
                strip,
                terms,
                scratch,
              );
            }
            panel += <usize> (ROWS * terms) << 2;
          }
          strip += <usize> (width * terms) << 2;
        }
      }
    }
  }
}
