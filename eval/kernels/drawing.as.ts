// The loss by a label that is drawn from the model; AssemblyScript, see kernels/build_kernels.ts.

/**
 * Replaces a row of `count` logits by the gradient of the loss: softmax less 1 at a label, which is where
 * the shares add up to more than `uniform`. Adds p (1 - p) to the float64 values at `fisher`, and returns
 * their sum.
 */
export function drawLoss(count: i32, row: usize, uniform: f64, fisher: usize): f64 {
  const largest = f64x2.splat(load<f32>(row + (<usize> placeOfLargest(row, count) << 2)));
  let lanes = f64x2.splat(0);
  for (let i = 0; i < count; i += 2) {
    const value = exponentialWide(f64x2.sub(pairAt(row, i, count, -Infinity), largest));
    lanes = f64x2.add(lanes, value);
    const at = row + (<usize> i << 2);
    const rounded = f32x4.demote_f64x2_zero(value);
    if (i + 1 < count) v128.store64_lane(at, rounded, 0);
    else store<f32>(at, f32x4.extract_lane(rounded, 0));
  }
  const sum = sumOfPair(lanes);
  let rest = uniform, energy: f64 = 0;
  let label = -1, last = 0;
  for (let i = 0; i < count; i++) {
    const at = row + (<usize> i << 2), to = fisher + (<usize> i << 3);
    const share = <f64> load<f32>(at) / sum;
    const variance = share * (1 - share);
    store<f64>(to, load<f64>(to) + variance);
    energy += variance;
    store<f32>(at, <f32> share);
    rest -= share;
    if (share > 0) last = i;
    if (label < 0 && rest < 0) label = i;
  }
  // Rounding may leave a rest; the last token of positive probability stands for it.
  const at = row + (<usize> (label < 0 ? last : label) << 2);
  store<f32>(at, load<f32>(at) - 1);
  return energy;
}
