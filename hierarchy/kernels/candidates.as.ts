// The best indices of both quantizers and parities for targets, four at a time; AssemblyScript, see
// kernels/build_kernels.ts. Arithmetic is float32, as in candidates.ts, bit for bit.

/** Index magnitudes with a cost of their own; larger ones cost as much as the last. */
const COSTED_MAGNITUDES: i32 = 512;
/** log2 of the bytes of a class's costs. */
const CLASS_SHIFT: i32 = 11;

/** The cost of one index of each of four classes, whose costs are at `rows`, in bits. */
function bitsOf(costs: usize, rows: v128, k: v128): v128 {
  const last = i32x4.splat(COSTED_MAGNITUDES - 1);
  const at = i32x4.add(rows, i32x4.shl(i32x4.min_s(i32x4.max_s(k, i32x4.splat(0)), last), 2));
  let bits = v128.load32_zero(costs + <usize> i32x4.extract_lane(at, 0));
  bits = v128.load_lane<f32>(costs + <usize> i32x4.extract_lane(at, 1), bits, 1);
  bits = v128.load_lane<f32>(costs + <usize> i32x4.extract_lane(at, 2), bits, 2);
  return v128.load_lane<f32>(costs + <usize> i32x4.extract_lane(at, 3), bits, 3);
}

/** Squared error + rateWeight * bits. */
function costOf(error: v128, rateWeight: v128, bits: v128): v128 {
  return f32x4.add(f32x4.mul(error, error), f32x4.mul(rateWeight, bits));
}

/** Where index k - 2, in error by `error` + 4, costs less than index k does; it costs `smaller`. */
function isLess(smaller: v128, cost: v128, k: v128): v128 {
  return v128.and(f32x4.lt(smaller, cost), i32x4.gt_s(k, i32x4.splat(1)));
}

/** The error of index k - 2: in the second quantizer index 0 is at 0 and not at -1. */
function smallerError(error: v128, k: v128, magnitude: v128, quantizer: i32): v128 {
  const smaller = f32x4.add(error, f32x4.splat(4));
  if (quantizer === 0) return smaller;
  return v128.bitselect(magnitude, smaller, i32x4.eq(k, i32x4.splat(2)));
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
 * rate term `costTable` is 0; else it has the bits of each quantizer, class and magnitude, after at
 * least 8 bytes of something else. Reads and writes up to three targets more.
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
  const rateWeight = f32x4.splat(rateWeightValue);
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
      let even = v128.bitselect(other, k, odd), uneven = v128.bitselect(k, other, odd);
      const evenError = v128.bitselect(otherError, error, odd);
      const unevenError = v128.bitselect(error, otherError, odd);
      let evenCost = f32x4.mul(evenError, evenError);
      let unevenCost = f32x4.mul(unevenError, unevenError);
      if (costTable !== 0) {
        const rows = i32x4.shl(i32x4.add(index, i32x4.splat(quantizer * classCount)), CLASS_SHIFT);
        const low = i32x4.min_s(k, other);
        let evenBits: v128, unevenBits: v128, evenSmaller: v128, unevenSmaller: v128;
        if (v128.any_true(i32x4.gt_s(low, i32x4.splat(COSTED_MAGNITUDES - 2)))) {
          evenBits = bitsOf(costTable, rows, even);
          unevenBits = bitsOf(costTable, rows, uneven);
          evenSmaller = bitsOf(costTable, rows, i32x4.sub(even, i32x4.splat(2)));
          unevenSmaller = bitsOf(costTable, rows, i32x4.sub(uneven, i32x4.splat(2)));
        } else {
          // The costs of both indices and of both less 2 stand side by side. Those of indices below
          // 0 are of something else, and not used.
          const at = i32x4.add(rows, i32x4.shl(low, 2));
          const from = costTable - 8;
          const a = v128.load(from + <usize> i32x4.extract_lane(at, 0));
          const b = v128.load(from + <usize> i32x4.extract_lane(at, 1));
          const c = v128.load(from + <usize> i32x4.extract_lane(at, 2));
          const d = v128.load(from + <usize> i32x4.extract_lane(at, 3));
          const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5),
            ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
          const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5),
            cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
          const lowSmaller = v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5);
          const highSmaller = v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7);
          const lowBits = v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5);
          const highBits = v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7);
          const lowIsEven = i32x4.eq(low, even);
          evenBits = v128.bitselect(lowBits, highBits, lowIsEven);
          unevenBits = v128.bitselect(highBits, lowBits, lowIsEven);
          evenSmaller = v128.bitselect(lowSmaller, highSmaller, lowIsEven);
          unevenSmaller = v128.bitselect(highSmaller, lowSmaller, lowIsEven);
        }
        evenCost = f32x4.add(evenCost, f32x4.mul(rateWeight, evenBits));
        unevenCost = f32x4.add(unevenCost, f32x4.mul(rateWeight, unevenBits));
        const evenLess = costOf(
          smallerError(evenError, even, magnitude, quantizer),
          rateWeight,
          evenSmaller,
        );
        const unevenLess = costOf(
          f32x4.add(unevenError, f32x4.splat(4)),
          rateWeight,
          unevenSmaller,
        );
        let less = isLess(evenLess, evenCost, even);
        evenCost = v128.bitselect(evenLess, evenCost, less);
        even = i32x4.add(even, i32x4.shl(less, 1));
        less = isLess(unevenLess, unevenCost, uneven);
        unevenCost = v128.bitselect(unevenLess, unevenCost, less);
        uneven = i32x4.add(uneven, i32x4.shl(less, 1));
      }
      even = i32x4.sub(v128.xor(even, negative), negative);
      uneven = i32x4.sub(v128.xor(uneven, negative), negative);
      if (quantizer == 0) {
        cost0 = evenCost;
        cost1 = unevenCost;
        index0 = even;
        index1 = uneven;
      } else {
        const offset = <usize> i << 4;
        storeColumns(costsTo + offset, cost0, cost1, evenCost, unevenCost);
        storeColumns(indicesTo + offset, index0, index1, even, uneven);
      }
    }
  }
}
