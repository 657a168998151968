// Statistics of the indices of an anti-diagonal; AssemblyScript, see kernels/build_kernels.ts.
//
// Indices, rows' values and transitions are read upwards, columns' values downwards, as an
// anti-diagonal runs. Both functions return the trellis state after it.

/** Classes of scale, the class of scale 1, and magnitudes with a count: as in symbol_model.ts. */
const CLASS_COUNT: i32 = 96;
const UNIT_CLASS: i32 = 32;
const MAGNITUDES: i32 = 61;
/** Magnitudes with a cost, and classes that repeat the first and the last: as in refine_scales.ts. */
const COSTED_MAGNITUDES: i32 = 512;
const MARGIN: i32 = 8;
const WIDTH: i32 = CLASS_COUNT + 2 * MARGIN;

function nextState(transitions: usize, state: i32, k: i32): i32 {
  return load<u16>(transitions + (<usize> (2 * state + (k & 1)) << 1));
}

/** Adds the costs of four neighbouring classes to the sums of each index's row or column. */
export function addCosts(
  length: i32,
  state: i32,
  indices: usize,
  rows: usize,
  columns: usize,
  sums: usize,
  sumsStep: usize,
  bits: usize,
  transitions: usize,
): i32 {
  for (const end = indices + (<usize> length << 2); indices < end; indices += 4) {
    const k = load<i32>(indices);
    const scale = load<i32>(rows) + load<i32>(columns);
    const odd = scale & 1;
    const magnitude = min(abs(k), COSTED_MAGNITUDES - 1);
    const index = min(max((scale >> 1) + UNIT_CLASS, -MARGIN / 2), WIDTH - 3 * MARGIN / 2);
    const place = ((state & 1) * COSTED_MAGNITUDES + magnitude) * WIDTH + MARGIN + index - 2 + odd;
    const costs = v128.load(bits + (<usize> place << 2));
    const to = sums + (<usize> odd << 5);
    const high = v128.shuffle<i64>(costs, costs, 1, 0);
    v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(costs)));
    v128.store(to, f64x2.add(v128.load(to, 16), f64x2.promote_low_f32x4(high)), 16);
    state = nextState(transitions, state, k);
    rows += 4;
    columns -= 4;
    sums += sumsStep;
  }
  return state;
}

/** Adds each index to a histogram by quantizer, class and bucket magnitude. */
export function countMagnitudes(
  length: i32,
  state: i32,
  indices: usize,
  rows: usize,
  columns: usize,
  rawBits: usize,
  counts: usize,
  transitions: usize,
): i32 {
  for (const end = indices + (<usize> length << 2); indices < end; indices += 4) {
    const k = load<i32>(indices);
    const eighths = load<i32>(rows) + load<i32>(columns);
    const index = min(max((eighths >> 1) + UNIT_CLASS, 0), CLASS_COUNT - 1);
    const raw = <i32> load<u8>(rawBits + <usize> index);
    const bucket = raw === 0 ? k : (k + (1 << (raw - 1))) >> raw;
    const magnitude = min(abs(bucket), MAGNITUDES - 1);
    const cell = counts +
      (<usize> (((state & 1) * CLASS_COUNT + index) * MAGNITUDES + magnitude) << 3);
    store<f64>(cell, load<f64>(cell) + 1);
    state = nextState(transitions, state, k);
    rows += 4;
    columns -= 4;
  }
  return state;
}
