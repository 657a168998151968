// Attention; stands after the activations of eval/kernels; AssemblyScript, see
// kernels/build_kernels.ts.

/**
 * The attention of one query of `size` features, already scaled, to the keys and values `first` to `end`
 * (exclusive), `stride` bytes apart; scores are capped softly unless `cap` is 0. `scores` has room
 * for them and three more.
 */
export function attend(
  query: usize,
  keys: usize,
  values: usize,
  stride: usize,
  first: i32,
  end: i32,
  size: i32,
  cap: f32,
  scores: usize,
  to: usize,
): void {
  const count = end - first;
  const whole = size & ~3;
  let most: f32 = -Infinity;
  for (let i = 0; i < count; i++) {
    const key = keys + stride * (first + i);
    let lanes = f32x4.splat(0);
    for (let j = 0; j < whole; j += 4) {
      const at = <usize> j << 2;
      lanes = f32x4.add(lanes, f32x4.mul(v128.load(query + at), v128.load(key + at)));
    }
    const pairs = f32x4.add(lanes, i32x4.shuffle(lanes, lanes, 2, 3, 0, 1));
    let sum = f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
    for (let j = whole; j < size; j++) {
      const at = <usize> j << 2;
      sum += load<f32>(query + at) * load<f32>(key + at);
    }
    store<f32>(scores + (<usize> i << 2), sum);
    most = max(most, sum);
  }
  if (cap != 0) {
    capSoftly(scores, count, cap);
    most = min(cap, most);
  }
  const largest = f32x4.splat(most);
  let total: f64 = 0;
  for (let i = 0; i < count; i += 4) {
    const at = scores + (<usize> i << 2);
    v128.store(at, exponential(f32x4.sub(v128.load(at), largest)));
  }
  for (let i = 0; i < count; i++) total += load<f32>(scores + (<usize> i << 2));
  const inverse = <f32> (1 / total);
  for (let j = 0; j < size; j += 4) {
    const at = <usize> j << 2;
    let sum = f32x4.splat(0);
    let value = values + stride * first + at;
    for (let i = 0; i < count; i++, value += stride) {
      sum = f32x4.add(
        sum,
        f32x4.mul(v128.load32_splat(scores + (<usize> i << 2)), v128.load(value)),
      );
    }
    sum = f32x4.mul(sum, f32x4.splat(inverse));
    if (j < whole) v128.store(to + at, sum);
    else {
      store<f32>(to + at, f32x4.extract_lane(sum, 0));
      if (j + 1 < size) store<f32>(to + at, f32x4.extract_lane(sum, 1), 4);
      if (j + 2 < size) store<f32>(to + at, f32x4.extract_lane(sum, 2), 8);
    }
  }
}
