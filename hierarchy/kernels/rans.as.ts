// Decodes trellis indices from interleaved rANS; AssemblyScript, see build_kernels.ts.
//
// The tables of both quantizers stand side by side, so that the load of a slot need not wait for the
// index before, which says which of the two is in use; nothing but a shift depends on it.

const LANES: i32 = 4;
const PROBABILITY_BITS: u32 = 12;
const SLOT_MASK: u32 = (1 << PROBABILITY_BITS) - 1;
const STATE_LOWER_BOUND: u32 = 0x1_0000;
/** Stands in a slot for an index of its own kind: the escape symbol. */
const ESCAPE: i32 = -128;
/** log2 of the bytes of both quantizers' slots in a class. */
const CLASS_SHIFT: i32 = 15;

/** Where decoding stands: the states of the lanes, in turn from `turn` on, and the next word. */
let lanes: usize = 0;
let turn: i32 = 0;
let words: usize = 0;

/** Whose turn it is. */
export function getTurn(): i32 {
  return turn;
}

/** Where the next word is. */
export function getWords(): usize {
  return words;
}

/** Says where the next word is, after the words were moved. */
export function setWords(at: usize): void {
  words = at;
}

/** Starts a stream: the lanes' states come first, high words before low ones. */
export function start(lanesAt: usize, wordsAt: usize): void {
  lanes = lanesAt;
  words = wordsAt;
  turn = 0;
  for (let lane = 0; lane < LANES; lane++) {
    store<u32>(lanes + (<usize> lane << 2), (<u32> load<u16>(words) << 16) | load<u16>(words, 2));
    words += 4;
  }
}

/** Reads `bits` bits of equal probability, 12 from a lane at most. */
function takeBits(bits: i32): u32 {
  let value: u32 = 0;
  while (bits > 0) {
    const count = min(bits, <i32> PROBABILITY_BITS);
    bits -= count;
    const shift = <i32> PROBABILITY_BITS - count;
    const at = lanes + (<usize> turn << 2);
    let state = load<u32>(at);
    const slot = state & SLOT_MASK;
    value = (value << count) | (slot >> shift);
    state = ((state >> PROBABILITY_BITS) << shift) + (slot & ((1 << shift) - 1));
    if (state < STATE_LOWER_BOUND) {
      state = (state << 16) | load<u16>(words);
      words += 2;
    }
    store<u32>(at, state);
    turn = (turn + 1) & (LANES - 1);
  }
  return value;
}

/** What follows an escape symbol. */
function takeEscaped(reach: i32): i32 {
  const width = <i32> takeBits(5);
  const magnitude = reach + ((1 << width) | <i32> takeBits(width));
  return takeBits(1) ? -magnitude : magnitude;
}

/**
 * Decodes `count` indices and the quantizer of each, from `state` on; returns the state after them.
 * `slots` has for each class, slot and quantizer: index (8 bits), frequency less 1 (12), offset in
 * the interval (12). `shapes` has for each class raw bits and the reach of both quantizers, a byte
 * each. `firstRaw` is the first class with raw bits; all after it have some.
 */
export function decode(
  count: i32,
  state: i32,
  transitions: usize,
  slots: usize,
  shapes: usize,
  firstRaw: i32,
  classes: usize,
  indices: usize,
  quantizers: usize,
): i32 {
  for (let i = 0; i < count; i++) {
    const index = <i32> load<u8>(classes + i);
    const lane = lanes + (<usize> turn << 2);
    let coder = load<u32>(lane);
    const pair = load<u64>(
      slots + (<usize> index << CLASS_SHIFT) + (<usize> (coder & SLOT_MASK) << 3),
    );
    const quantizer = state & 1;
    const entry = <u32> (pair >> (<u64> quantizer << 5));
    coder = ((entry >> 12 & 0xfff) + 1) * (coder >> PROBABILITY_BITS) + (entry & 0xfff);
    const renewed = (coder << 16) | load<u16>(words);
    const short = coder < STATE_LOWER_BOUND;
    words += <usize> short << 1;
    store<u32>(lane, short ? renewed : coder);
    turn = (turn + 1) & (LANES - 1);
    let k = <i32> entry >> 24;
    if (k == ESCAPE || index >= firstRaw) {
      const shape = shapes + (<usize> index << 2);
      if (k == ESCAPE) k = takeEscaped(<i32> load<u8>(shape + quantizer, 1));
      const raw = <i32> load<u8>(shape);
      if (raw > 0) k = (k << raw) + <i32> takeBits(raw) - (1 << (raw - 1));
    }
    store<i32>(indices + (<usize> i << 2), k);
    store<u8>(quantizers + i, <u8> quantizer);
    state = <i32> load<u8>(transitions + ((state << 1) | (k & 1)));
  }
  return state;
}

/**
 * Reconstruction levels of indices, in steps: 2 k in quantizer 0, 2 k - sgn k in quantizer 1, times
 * `scale`. Writes up to three more than `count`.
 */
export function reconstruct(
  count: i32,
  indices: usize,
  quantizers: usize,
  scale: f32,
  levels: usize,
): void {
  const factor = f32x4.splat(scale);
  for (let i = 0; i < count; i += 4) {
    const k = v128.load(indices + (<usize> i << 2));
    const quantizer = i32x4.extend_low_i16x8_u(
      i16x8.extend_low_i8x16_u(v128.load32_zero(quantizers + i)),
    );
    const towardsZero = v128.and(i32x4.gt_s(k, i32x4.splat(0)), quantizer);
    const fromBelow = v128.and(i32x4.shr_s(k, 31), quantizer);
    const level = i32x4.add(i32x4.sub(i32x4.shl(k, 1), towardsZero), fromBelow);
    v128.store(levels + (<usize> i << 2), f32x4.mul(f32x4.convert_i32x4_s(level), factor));
  }
}
