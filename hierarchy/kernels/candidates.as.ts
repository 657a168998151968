// The best indices of both quantizers and parities for targets, four at a time; AssemblyScript, see
// kernels/build_kernels.ts. Arithmetic is float32, as in candidates.ts, bit for bit.

/** Index magnitudes with a cost of their own; larger ones cost as much as the last. */
const COSTED_MAGNITUDES: i32 = 512;
/** log2 of the bytes of a class's costs. */
const CLASS_SHIFT: i32 = 11;

/** What four targets are coded under: nothing where `costs` is 0. */
let rateWeight: v128 = f32x4.splat(0);
let costs: usize = 0;
/** Byte offset of the costs of each target's class, in the quantizer at hand. */
let rows: v128 = i32x4.splat(0);

/** The cost of four indices, in bits. */
function bitsOf(k: v128): v128 {
  const last = i32x4.splat(COSTED_MAGNITUDES - 1);
  const at = i32x4.add(rows, i32x4.shl(i32x4.min_s(i32x4.max_s(k, i32x4.splat(0)), last), 2));
  let bits = v128.load32_zero(costs + <usize> i32x4.extract_lane(at, 0));
  bits = v128.load_lane<f32>(costs + <usize> i32x4.extract_lane(at, 1), bits, 1);
  bits = v128.load_lane<f32>(costs + <usize> i32x4.extract_lane(at, 2), bits, 2);
  return v128.load_lane<f32>(costs + <usize> i32x4.extract_lane(at, 3), bits, 3);
}

/** Costs of four candidates of one parity, and the candidates, signed. */
let slotCosts: v128 = f32x4.splat(0);
let slotIndices: v128 = i32x4.splat(0);

/** Weighs index k, in error by `error`, against k - 2 under the rate term. */
function weigh(k: v128, error: v128, magnitude: v128, quantizer: i32, negative: v128): void {
  let cost = f32x4.mul(error, error);
  if (costs != 0) {
    cost = f32x4.add(cost, f32x4.mul(rateWeight, bitsOf(k)));
    let smallerError = f32x4.add(error, f32x4.splat(4));
    if (quantizer == 1) {
      const reachesZero = i32x4.eq(k, i32x4.splat(2));
      smallerError = v128.bitselect(magnitude, smallerError, reachesZero);
    }
    const smallerIndex = i32x4.sub(k, i32x4.splat(2));
    const smallerCost = f32x4.add(
      f32x4.mul(smallerError, smallerError),
      f32x4.mul(rateWeight, bitsOf(smallerIndex)),
    );
    const better = v128.and(
      f32x4.lt(smallerCost, cost),
      i32x4.ge_s(smallerIndex, i32x4.splat(0)),
    );
    cost = v128.bitselect(smallerCost, cost, better);
    k = v128.bitselect(smallerIndex, k, better);
  }
  slotCosts = cost;
  slotIndices = i32x4.sub(v128.xor(k, negative), negative);
}

/** Writes four vectors by columns. */
function storeColumns(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5), ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5), cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
  v128.store(to, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7), 16);
  v128.store(to, v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5), 32);
  v128.store(to, v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7), 48);
}

/**
 * For each of `count` targets four costs and indices, [4 * i + 2 * quantizer + parity]. Without
 * rate term `costTable` is 0; else it has the bits of each quantizer, class and magnitude. Reads and
 * writes up to three targets more.
 */
export function findCandidates(
  count: i32,
  targets: usize,
  classes: usize,
  classCount: i32,
  costTable: usize,
  rateWeightValue: f32,
  largest: f32,
  costsTo: usize,
  indicesTo: usize,
): void {
  rateWeight = f32x4.splat(rateWeightValue);
  costs = costTable;
  const one = i32x4.splat(1), half = f32x4.splat(0.5), two = f32x4.splat(2);
  for (let i = 0; i < count; i += 4) {
    const target = v128.load(targets + (<usize> i << 2));
    const negative = f32x4.lt(target, f32x4.splat(0));
    const magnitude = f32x4.min(f32x4.abs(target), f32x4.splat(largest));
    const index = i32x4.extend_low_i16x8_u(
      i16x8.extend_low_i8x16_u(v128.load32_zero(classes + i)),
    );
    let cost0 = rateWeight, cost1 = rateWeight, index0 = rateWeight, index1 = rateWeight;
    for (let quantizer = 0; quantizer < 2; quantizer++) {
      const shift = f32x4.splat(<f32> quantizer);
      rows = i32x4.shl(i32x4.add(index, i32x4.splat(quantizer * classCount)), CLASS_SHIFT);
      const nearest = f32x4.floor(
        f32x4.add(f32x4.mul(f32x4.add(magnitude, shift), half), half),
      );
      const error = f32x4.sub(magnitude, f32x4.sub(f32x4.mul(two, nearest), shift));
      const k = i32x4.trunc_sat_f32x4_s(nearest);
      // From index 1 of Q1 the neighbour below is index 0, at 0 and not at -1.
      const first = v128.and(f32x4.eq(nearest, f32x4.splat(1)), f32x4.eq(shift, f32x4.splat(1)));
      const up = v128.or(
        f32x4.eq(nearest, f32x4.splat(0)),
        v128.bitselect(f32x4.ge(error, half), f32x4.gt(error, f32x4.splat(0)), first),
      );
      const down = v128.bitselect(f32x4.splat(1), two, first);
      const otherError = f32x4.add(error, v128.bitselect(f32x4.splat(-2), down, up));
      const other = v128.bitselect(i32x4.add(k, one), i32x4.sub(k, one), up);
      const odd = i32x4.eq(v128.and(k, one), one);
      weigh(
        v128.bitselect(other, k, odd),
        v128.bitselect(otherError, error, odd),
        magnitude,
        quantizer,
        negative,
      );
      const evenCosts = slotCosts, evenIndices = slotIndices;
      weigh(
        v128.bitselect(k, other, odd),
        v128.bitselect(error, otherError, odd),
        magnitude,
        quantizer,
        negative,
      );
      if (quantizer == 0) {
        cost0 = evenCosts;
        cost1 = slotCosts;
        index0 = evenIndices;
        index1 = slotIndices;
      } else {
        const offset = <usize> i << 4;
        storeColumns(costsTo + offset, cost0, cost1, evenCosts, slotCosts);
        storeColumns(indicesTo + offset, index0, index1, evenIndices, slotIndices);
      }
    }
  }
}
