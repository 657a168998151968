// Viterbi's algorithm on the trellis of a dependent quantizer; AssemblyScript, see kernels/build_kernels.ts.
//
// Next states t < S/2 are reached from even states, t + S/2 from odd ones. With E[u] and O[u] the
// metrics of states 2 u and 2 u + 1, and c(q, p) the cost of parity p in quantizer q,
//
//     next[t]       = min(E[t]            + c(0, 0), E[t ^ parity]            + c(0, 1)),
//     next[t + S/2] = min(O[t ^ feedback] + c(1, 0), O[t ^ feedback ^ parity] + c(1, 1)),
//
// with `parity` and `feedback` from the code's parity checks: exclusive-or permutations, no gathers.
// Arithmetic and ties are those of path_search.ts, bit for bit.

/** Metrics are lowered by their least one at every multiple of this many steps. */
const NORMALIZE_MASK: i32 = 63;

/** Byte indices that move lane l ^ constant of a vector of floats to lane l. */
function exchange(constant: i32): v128 {
  return v128.xor(
    i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    i8x16.splat(<i8> ((constant & 3) << 2)),
  );
}

/** Least lane, in every lane. */
function least(a: v128): v128 {
  const b = f32x4.pmin(a, v128.shuffle<f32>(a, a, 2, 3, 0, 1));
  return f32x4.pmin(b, v128.shuffle<f32>(b, b, 1, 0, 3, 2));
}

function evens(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 2, 4, 6);
}

function odds(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 1, 3, 5, 7);
}

/** One bit for each of the four next states: whether it is better reached by parity 1. */
function choices(parity0: v128, parity1: v128): i32 {
  return i32x4.bitmask(f32x4.lt(parity1, parity0));
}

/** All metrics in one vector, E[0], E[1], O[0], O[1]. */
function forward4(length: i32, metrics: usize, parity: i32, costs: usize, decisions: usize): void {
  // parity is 1 and feedback 0 in the only code with four states.
  const other = exchange(parity);
  let current = v128.load(metrics);
  for (let i = 0; i < length; i++) {
    if ((i & NORMALIZE_MASK) == 0) current = f32x4.sub(current, least(current));
    const cost = v128.load(costs + (<usize> i << 4));
    const parity0 = f32x4.add(current, v128.shuffle<f32>(cost, cost, 0, 0, 2, 2));
    const parity1 = f32x4.add(
      i8x16.swizzle(current, other),
      v128.shuffle<f32>(cost, cost, 1, 1, 3, 3),
    );
    store<u8>(decisions + i, <u8> choices(parity0, parity1));
    const next = f32x4.pmin(parity0, parity1);
    current = v128.shuffle<f32>(next, next, 0, 2, 1, 3);
  }
  v128.store(metrics, current);
}

function forward8(
  length: i32,
  metrics: usize,
  parity: i32,
  feedback: i32,
  costs: usize,
  decisions: usize,
): void {
  const evenOther = exchange(parity);
  const oddFirst = exchange(feedback), oddOther = exchange(feedback ^ parity);
  let even = v128.load(metrics), odd = v128.load(metrics, 16);
  for (let i = 0; i < length; i++) {
    if ((i & NORMALIZE_MASK) == 0) {
      const smallest = least(f32x4.pmin(even, odd));
      even = f32x4.sub(even, smallest);
      odd = f32x4.sub(odd, smallest);
    }
    const cost = costs + (<usize> i << 4);
    const low0 = f32x4.add(even, v128.load32_splat(cost));
    const low1 = f32x4.add(i8x16.swizzle(even, evenOther), v128.load32_splat(cost, 4));
    const high0 = f32x4.add(i8x16.swizzle(odd, oddFirst), v128.load32_splat(cost, 8));
    const high1 = f32x4.add(i8x16.swizzle(odd, oddOther), v128.load32_splat(cost, 12));
    store<u8>(decisions + i, <u8> (choices(low0, low1) | (choices(high0, high1) << 4)));
    const low = f32x4.pmin(low0, low1), high = f32x4.pmin(high0, high1);
    even = evens(low, high);
    odd = odds(low, high);
  }
  v128.store(metrics, even);
  v128.store(metrics, odd, 16);
}

/** Lowers `count` metrics by the least of them. */
function normalize(metrics: usize, count: i32): void {
  const end = metrics + (<usize> count << 2);
  let smallest = v128.load(metrics);
  for (let at = metrics; at < end; at += 16) smallest = f32x4.pmin(smallest, v128.load(at));
  smallest = least(smallest);
  for (let at = metrics; at < end; at += 16) {
    v128.store(at, f32x4.sub(v128.load(at), smallest));
  }
}

/** Moves lane l ^ `lanes` to lane l. */
function exchanged(vector: v128, lanes: i32): v128 {
  if (lanes === 1) return v128.shuffle<f32>(vector, vector, 1, 0, 3, 2);
  if (lanes === 2) return v128.shuffle<f32>(vector, vector, 2, 3, 0, 1);
  if (lanes === 3) return v128.shuffle<f32>(vector, vector, 3, 2, 1, 0);
  return vector;
}

/**
 * A step: the metrics after it, at `to`, from those before, `size` bytes of even states and as many of
 * odd ones. `parityLanes` and `feedbackLanes` are constants: the low bits of what the bytes stand for.
 */
function advance(
  from: usize,
  to: usize,
  size: usize,
  parityBytes: usize,
  parityLanes: i32,
  feedbackBytes: usize,
  feedbackLanes: i32,
  cost: usize,
  decisions: usize,
): void {
  const cost00 = v128.load32_splat(cost), cost01 = v128.load32_splat(cost, 4);
  const cost10 = v128.load32_splat(cost, 8), cost11 = v128.load32_splat(cost, 12);
  const oddStates = from + size, highDecisions = decisions + (size >> 5);
  // Eight next states of either half: those of even number, then those of odd number.
  for (let at: usize = 0; at < size; at += 32) {
    let x = at ^ parityBytes;
    let a0 = f32x4.add(v128.load(from + at), cost00);
    let b0 = f32x4.add(v128.load(from + at, 16), cost00);
    let a1 = f32x4.add(exchanged(v128.load(from + x), parityLanes), cost01);
    let b1 = f32x4.add(exchanged(v128.load(from + (x ^ 16)), parityLanes), cost01);
    store<u8>(decisions + (at >> 5), <u8> (choices(a0, a1) | (choices(b0, b1) << 4)));
    let a = f32x4.pmin(a0, a1), b = f32x4.pmin(b0, b1);
    const low = to + (at >> 1), high = low + (size >> 1);
    v128.store(low, evens(a, b));
    v128.store(low + size, odds(a, b));
    x = at ^ feedbackBytes;
    const y = x ^ parityBytes;
    a0 = f32x4.add(exchanged(v128.load(oddStates + x), feedbackLanes), cost10);
    b0 = f32x4.add(exchanged(v128.load(oddStates + (x ^ 16)), feedbackLanes), cost10);
    a1 = f32x4.add(exchanged(v128.load(oddStates + y), feedbackLanes ^ parityLanes), cost11);
    b1 = f32x4.add(exchanged(v128.load(oddStates + (y ^ 16)), feedbackLanes ^ parityLanes), cost11);
    store<u8>(highDecisions + (at >> 5), <u8> (choices(a0, a1) | (choices(b0, b1) << 4)));
    a = f32x4.pmin(a0, a1);
    b = f32x4.pmin(b0, b1);
    v128.store(high, evens(a, b));
    v128.store(high + size, odds(a, b));
  }
}

/** Half of what `advance` does, for any code: the low or the high next states. */
function advanceHalf(
  from: usize,
  size: usize,
  first: i32,
  second: i32,
  cost: usize,
  to: usize,
  decisions: usize,
): void {
  const cost0 = v128.load32_splat(cost), cost1 = v128.load32_splat(cost, 4);
  const lanes0 = exchange(first), lanes1 = exchange(second);
  const block0 = <usize> (first & ~3) << 2, block1 = <usize> (second & ~3) << 2;
  let previous = cost0, decision = 0;
  for (let at: usize = 0; at < size; at += 16) {
    const a0 = f32x4.add(i8x16.swizzle(v128.load(from + (at ^ block0)), lanes0), cost0);
    const a1 = f32x4.add(i8x16.swizzle(v128.load(from + (at ^ block1)), lanes1), cost1);
    const a = f32x4.pmin(a0, a1);
    decision = decision >> 4 | choices(a0, a1) << 4;
    if (at & 16) {
      store<u8>(decisions + (at >> 5), <u8> decision);
      v128.store(to, evens(previous, a));
      v128.store(to + size, odds(previous, a));
      to += 16;
    }
    previous = a;
  }
}

/** Metrics start and end at `metrics`; the next `states` floats are working space. */
function forward(
  states: i32,
  length: i32,
  metrics: usize,
  parity: i32,
  feedback: i32,
  costs: usize,
  decisions: usize,
): void {
  const size = <usize> states << 1;
  const x = <usize> (parity & ~3) << 2, y = <usize> (feedback & ~3) << 2;
  const lanes = (parity & 3) << 2 | (feedback & 3);
  let from = metrics, to = metrics + 2 * size;
  // The low bits of the file format's codes; other codes are for experiments.
  for (let i = 0; i < length; i++) {
    if ((i & NORMALIZE_MASK) == 0) normalize(from, states);
    if (lanes === 0b1001) advance(from, to, size, x, 2, y, 1, costs, decisions);
    else if (lanes === 0b0110) advance(from, to, size, x, 1, y, 2, costs, decisions);
    else if (lanes === 0b0010) advance(from, to, size, x, 0, y, 2, costs, decisions);
    else if (lanes === 0b1110) advance(from, to, size, x, 3, y, 2, costs, decisions);
    else {
      advanceHalf(from, size, 0, parity, costs, to, decisions);
      const other = feedback ^ parity, high = to + (size >> 1);
      advanceHalf(from + size, size, feedback, other, costs + 8, high, decisions + (size >> 5));
    }
    costs += 16;
    decisions += size >> 4;
    const last = from;
    from = to;
    to = last;
  }
  if (from != metrics) memory.copy(metrics, from, 2 * size);
}

/** The state of least metric, the lowest of equals. */
function bestState(states: i32, metrics: usize): i32 {
  const half = states >> 1;
  let best = 0;
  let smallest = load<f32>(metrics);
  for (let state = 1; state < states; state++) {
    const metric = load<f32>(metrics + (<usize> ((state & 1) * half + (state >> 1)) << 2));
    if (metric < smallest) {
      smallest = metric;
      best = state;
    }
  }
  return best;
}

/**
 * Finds the path of least cost and writes its indices and their levels in steps; returns its last state. `metrics` has room
 * for 2 * states floats; `predecessors` the state before state t by parity p at 2 t + p, in 16 bits; `costs` and
 * `candidates` four values a step, [2 * quantizer + parity]; `decisions` max(states, 8) / 8 bytes a
 * step.
 */
export function search(
  states: i32,
  length: i32,
  startState: i32,
  metrics: usize,
  predecessors: usize,
  costs: usize,
  candidates: usize,
  indices: usize,
  levels: usize,
  decisions: usize,
): i32 {
  const half = states >> 1;
  for (let state = 0; state < states; state++) {
    store<f32>(metrics + (<usize> state << 2), Infinity);
  }
  store<f32>(metrics + (<usize> ((startState & 1) * half + (startState >> 1)) << 2), 0);
  const parity = <i32> load<u16>(predecessors + 2) >> 1;
  const feedback = <i32> load<u16>(predecessors + 2 * states) >> 1;
  if (states == 4) forward4(length, metrics, parity, costs, decisions);
  else if (states == 8) forward8(length, metrics, parity, feedback, costs, decisions);
  else forward(states, length, metrics, parity, feedback, costs, decisions);

  const last = bestState(states, metrics);
  const stride = <usize> max(states >> 3, 1);
  let state = last;
  for (let i = length - 1; i >= 0; i--) {
    const chosen = <i32> load<u8>(decisions + <usize> i * stride + (state >> 3)) >> (state & 7) & 1;
    state = <i32> load<u16>(predecessors + 4 * state + 2 * chosen);
    const quantizer = state & 1;
    const slot = (i << 2) + (quantizer << 1) + chosen;
    const k = load<i32>(candidates + (<usize> slot << 2));
    store<i32>(indices + (<usize> i << 2), k);
    const level = 2 * k - (i32(k > 0) - i32(k < 0) & -quantizer);
    store<f32>(levels + (<usize> i << 2), <f32> level);
  }
  return last;
}
