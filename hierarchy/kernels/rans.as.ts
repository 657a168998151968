// Decodes trellis indices from interleaved rANS; AssemblyScript, see kernels/build_kernels.ts.
//
// What bounds the speed is how soon the state of the trellis is known after the one before. The symbols
// that a slot stands for in either quantizer are loaded side by side, long before it is clear which of
// the two is in use, and their parities choose between next states in one load.

const LANES: i32 = 4;
const PROBABILITY_BITS: u32 = 12;
const SLOT_MASK: u32 = (1 << PROBABILITY_BITS) - 1;
const STATE_LOWER_BOUND: u32 = 0x1_0000;
/** Stands for an index of its own kind: the escape symbol. */
const ESCAPE: i32 = -128;
/** log2 of the bytes of a class' symbols: one for each slot and quantizer. */
const SYMBOLS_SHIFT: usize = 13;
/** log2 of the bytes of a class' intervals: four for each symbol and quantizer. */
const INTERVALS_SHIFT: usize = 11;

/** Most bits of an escaped bucket and its low bits, without the leading one. */
const WIDEST_ESCAPE: i32 = 29;

/** Whether an integer was wider than any that is written since the stream started. */
let tooWide: bool = false;

/** Whether an integer was wider than any that is written since the stream started. */
export function wasTooWide(): bool {
  return tooWide;
}

/** Where decoding stands: the states of the lanes, in turn from `turn` on, and the next word. */
let lanes: usize = 0;
let turn: i32 = 0;
let words: usize = 0;

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
  tooWide = false;
  for (let lane = 0; lane < LANES; lane++) {
    store<u32>(lanes + (<usize> lane << 2), (<u32> load<u16>(words) << 16) | load<u16>(words, 2));
    words += 4;
  }
}

/** State of the lane whose turn comes after `later` others. */
function loadLane(later: i32): u32 {
  return load<u32>(lanes + (<usize> ((turn + later) & (LANES - 1)) << 2));
}

/** Stores the lanes' states, the one whose turn it is first. */
function storeLanes(first: u32, second: u32, third: u32, fourth: u32): void {
  store<u32>(lanes, first);
  store<u32>(lanes, second, 4);
  store<u32>(lanes, third, 8);
  store<u32>(lanes, fourth, 12);
  turn = 0;
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
function takeEscaped(reach: i32, raw: i32): i32 {
  const width = <i32> takeBits(5);
  if (width + raw > WIDEST_ESCAPE) tooWide = true;
  const magnitude = reach + ((1 << width) | <i32> takeBits(width));
  if (magnitude >= 2 << (WIDEST_ESCAPE - raw)) tooWide = true;
  return takeBits(1) ? -magnitude : magnitude;
}

/**
 * Classes of `count` values of an anti-diagonal: half the sum of a row's and a column's log-scale, both
 * 16-bit and the columns from last to first, plus `unit`, from 0 to `last`. Writes up to seven more.
 */
export function classify(
  count: i32,
  rows: usize,
  columns: usize,
  unit: i32,
  last: i32,
  classes: usize,
): void {
  const middle = i16x8.splat(<i16> unit), highest = i16x8.splat(<i16> last);
  for (let i = 0; i < count; i += 8) {
    const sum = i16x8.add(
      v128.load(rows + (<usize> i << 1)),
      v128.load(columns + (<usize> i << 1)),
    );
    const index = i16x8.min_s(i16x8.add(i16x8.shr_s(sum, 1), middle), highest);
    const bytes = i8x16.narrow_i16x8_u(index, index); // which makes negative ones zero
    v128.store64_lane(classes + i, bytes, 0);
  }
}

/**
 * Decodes `count` indices and the quantizer of each, from `state` on; returns the state after them.
 * `transitions` has eight times the next state for each state and the parities of the symbols of both
 * quantizers (16 bits each). `symbols` has for each class, slot and quantizer a signed symbol (8 bits),
 * `intervals` for each class, quantizer and symbol its frequency and its start (16 bits each),
 * `shapes` for each class raw bits and the reach of both quantizers, a byte each. `firstRaw` is the
 * first class with raw bits; all after it have some.
 */
export function decode(
  count: i32,
  state: i32,
  transitions: usize,
  symbols: usize,
  intervals: usize,
  shapes: usize,
  firstRaw: i32,
  classes: usize,
  indices: usize,
  quantizers: usize,
): i32 {
  let from = <u32> state << 3;
  let at = words;
  let coder = loadLane(0), second = loadLane(1), third = loadLane(2), fourth = loadLane(3);
  for (let i = 0; i < count; i++) {
    const index = <usize> load<u8>(classes + i);
    const slot = coder & SLOT_MASK;
    const pair = <u32> load<u16>(symbols + (index << SYMBOLS_SHIFT) + (<usize> slot << 1));
    const quantizer = from >> 3 & 1;
    const parities = (pair & 1) | (pair >> 7 & 2);
    let next = <u32> load<u16>(transitions + <usize> (from + (parities << 1)));
    const symbol = pair >> (quantizer << 3) & 0xff;
    const interval = load<u32>(
      intervals + (index << INTERVALS_SHIFT) + <usize> (quantizer << 10 | symbol << 2),
    );
    coder = (interval & 0xffff) * (coder >> PROBABILITY_BITS) + slot - (interval >> 16);
    const renewed = (coder << 16) | load<u16>(at);
    const short = coder < STATE_LOWER_BOUND;
    at += <usize> short << 1;
    const last = short ? renewed : coder;
    coder = second;
    second = third;
    third = fourth;
    fourth = last;
    let k = <i32> <i8> symbol;
    if (k == ESCAPE || <i32> index >= firstRaw) {
      words = at;
      storeLanes(coder, second, third, fourth);
      const shape = shapes + (index << 2);
      const raw = <i32> load<u8>(shape);
      if (k == ESCAPE) k = takeEscaped(<i32> load<u8>(shape + quantizer, 1), raw);
      if (raw > 0) k = (k << raw) + <i32> takeBits(raw) - (1 << (raw - 1));
      next = <u32> load<u16>(transitions + <usize> (from + (k & 1) * 6));
      at = words;
      coder = loadLane(0);
      second = loadLane(1);
      third = loadLane(2);
      fourth = loadLane(3);
    }
    store<i32>(indices + (<usize> i << 2), k);
    store<u8>(quantizers + i, <u8> quantizer);
    from = next;
  }
  words = at;
  storeLanes(coder, second, third, fourth);
  return from >> 3;
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
