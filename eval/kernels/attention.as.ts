// Attention of whole sequences; AssemblyScript, see kernels/build_kernels.ts.

/** Queries that are looked at together. */
const QUERIES: i32 = 96;

/** Bytes of scratch memory that the attention of sequences of some length needs. */
export function attentionScratch(length: i32): usize {
  return SCRATCH + <usize> (3 * QUERIES * ((length + 3) & ~3)) * 4;
}

/** Softmax of the values `first` to `end` of a row; the others, of which there are `count`, become 0. */
function softmaxRow(row: usize, first: i32, end: i32, count: i32): void {
  let largest: f32 = -Infinity;
  const start = (first + 3) & ~3, last = end & ~3;
  let i = first;
  for (; i < min(start, end); i++) largest = max(largest, load<f32>(row + (<usize> i << 2)));
  let most = f32x4.splat(largest);
  for (; i < last; i += 4) most = f32x4.max(most, v128.load(row + (<usize> i << 2)));
  for (let lane = 0; lane < 4; lane++) {
    most = i32x4.shuffle(most, most, 1, 2, 3, 0);
    largest = max(largest, f32x4.extract_lane(most, 0));
  }
  for (; i < end; i++) largest = max(largest, load<f32>(row + (<usize> i << 2)));
  memory.fill(row, 0, <usize> first << 2);
  for (i = first; i & 3; i--) store<f32>(row + (<usize> (i - 1) << 2), -Infinity);
  const from = i;
  const padded = (count + 3) & ~3;
  for (i = end; i < padded; i++) store<f32>(row + (<usize> i << 2), -Infinity);
  const shift = f32x4.splat(largest);
  let sums = f32x4.splat(0);
  for (i = from; i < padded; i += 4) {
    const at = row + (<usize> i << 2);
    const value = exponential(f32x4.sub(v128.load(at), shift));
    v128.store(at, value);
    sums = f32x4.add(sums, value);
  }
  const total = f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1) +
    f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3);
  const inverse = f32x4.splat(1 / total);
  for (i = from; i < padded; i += 4) {
    const at = row + (<usize> i << 2);
    v128.store(at, f32x4.mul(v128.load(at), inverse));
  }
}

/** The shares that queries `top` to `bottom` give keys up to `end`: softmax of their scores. */
function sharesOf(
  queries: usize,
  queryBytes: usize,
  keys: usize,
  keyBytes: usize,
  top: i32,
  bottom: i32,
  end: i32,
  size: i32,
  scale: f32,
  cap: f32,
  causal: bool,
  window: i32,
  shares: usize,
  slopes: usize,
  scratch: usize,
): void {
  const rowBytes = <usize> ((end + 3) & ~3) << 2;
  const from = queries + <usize> top * queryBytes;
  multiply(
    bottom - top,
    size,
    end,
    from,
    queryBytes,
    4,
    keys,
    4,
    keyBytes,
    shares,
    rowBytes,
    0,
    0,
    false,
    scratch,
  );
  for (let row = top; row < bottom; row++) {
    const at = shares + <usize> (row - top) * rowBytes;
    const count = causal ? row + 1 : end;
    const padded = (count + 3) & ~3;
    const first = causal && count > window ? count - window : 0;
    for (let i = 0; i < padded; i += 4) {
      const place = at + (<usize> i << 2);
      v128.store(place, f32x4.mul(v128.load(place), f32x4.splat(scale)));
    }
    if (cap != 0) {
      capSoftly(at, padded, cap);
      if (slopes != 0) {
        const to = slopes + <usize> (row - top) * rowBytes;
        for (let i = 0; i < padded; i += 4) {
          const share = f32x4.div(v128.load(at + (<usize> i << 2)), f32x4.splat(cap));
          const slope = f32x4.sub(f32x4.splat(1), f32x4.mul(share, share));
          v128.store(to + (<usize> i << 2), slope);
        }
      }
    }
    softmaxRow(at, first, count, end);
  }
}

/**
 * Attention of one head's `length` queries of `size` features to as many keys and values; rows of all
 * are as many bytes apart as said. Scores are multiplied by `scale` and capped softly unless `cap` is 0.
 * If `causal`, a token attends to itself and those before it, `window` in all.
 */
export function attendAll(
  queries: usize,
  queryBytes: usize,
  keys: usize,
  keyBytes: usize,
  values: usize,
  valueBytes: usize,
  to: usize,
  toBytes: usize,
  length: i32,
  size: i32,
  scale: f32,
  cap: f32,
  causal: bool,
  window: i32,
  scratch: usize,
): void {
  const shares = scratch + SCRATCH;
  for (let top = 0; top < length; top += QUERIES) {
    const bottom = min(length, top + QUERIES);
    const end = causal ? bottom : length;
    sharesOf(
      queries,
      queryBytes,
      keys,
      keyBytes,
      top,
      bottom,
      end,
      size,
      scale,
      cap,
      causal,
      window,
      shares,
      0,
      scratch,
    );
    multiply(
      bottom - top,
      end,
      size,
      shares,
      <usize> ((end + 3) & ~3) << 2,
      4,
      values,
      valueBytes,
      4,
      to + <usize> top * toBytes,
      toBytes,
      0,
      0,
      false,
      scratch,
    );
  }
}
