import {
  LANES,
  PROBABILITY_BITS,
  PROBABILITY_SCALE,
  STATE_LOWER_BOUND,
} from "../format/constants.ts";

/**
 * Interleaved range variant of asymmetric numeral systems (rANS; J. Duda, arXiv 1311.2540) with
 * static 12-bit probabilities. A stream is a sequence of *slots*: each says which interval
 * [start, start + frequency) of 0 .. 4095 was taken, and costs log2(4096 / frequency) bits.
 * `LANES` independent coder states take the slots in turn, so that a decoder's chains overlap.
 */

/**
 * Bits of slots that a stream of this many bytes can hold at most: rounding the states makes likely slots
 * cheaper than ideal, by a seventeenth at most.
 */
export function roomInBits(bytes: number): number {
  return 8 * bytes * 17 / 16;
}

/** Collects slots in the order in which they will be decoded. */
export class RansEncoder {
  #slots = new Uint32Array(1024);
  #length = 0;

  /** Number of slots so far. */
  get length(): number {
    return this.#length;
  }

  /** Appends the interval [start, start + frequency) of 0 .. 4095; `frequency` from 1 to 4096. */
  put(start: number, frequency: number): void {
    if (this.#length === this.#slots.length) {
      const grown = new Uint32Array(this.#length * 2);
      grown.set(this.#slots);
      this.#slots = grown;
    }
    this.#slots[this.#length++] = (start << 16) | frequency;
  }

  /** Appends the low `bits` bits of `value` at equal probabilities; `bits` from 0 to 32. */
  putBits(value: number, bits: number): void {
    for (let left = bits; left > 0;) {
      const count = Math.min(left, PROBABILITY_BITS);
      left -= count;
      const chunk = (value >>> left) & ((1 << count) - 1);
      this.put(chunk << (PROBABILITY_BITS - count), 1 << (PROBABILITY_BITS - count));
    }
  }

  /**
   * The bytes of the stream: the lanes' final states, then the words in the order in which the
   * decoder takes them. Coding runs backwards, since rANS is last in, first out.
   */
  finish(): Uint8Array {
    const words = new Uint16Array(this.#length + 2 * LANES);
    let position = words.length;
    const states = new Float64Array(LANES).fill(STATE_LOWER_BOUND);
    for (let i = this.#length - 1; i >= 0; i--) {
      const slot = this.#slots[i]!;
      const start = slot >>> 16, frequency = slot & 0xffff;
      let state = states[i % LANES]!;
      if (state >= frequency * (0x1_0000_0000 / PROBABILITY_SCALE)) {
        words[--position] = state % 0x1_0000;
        state = Math.floor(state / 0x1_0000);
      }
      const quotient = Math.floor(state / frequency);
      states[i % LANES] = quotient * PROBABILITY_SCALE + (state - quotient * frequency) + start;
    }
    for (let lane = LANES - 1; lane >= 0; lane--) {
      words[--position] = states[lane]! % 0x1_0000;
      words[--position] = Math.floor(states[lane]! / 0x1_0000);
    }
    return toLittleEndian(words.subarray(position));
  }
}

/**
 * Reads slots back. A damaged stream gives wrong slots but never an error or a read out of bounds;
 * {@linkcode RansDecoder.isAtEnd} tells whether everything was consumed as it was written.
 */
export class RansDecoder {
  readonly #words: Uint16Array;
  readonly #states = new Uint32Array(LANES);
  #position = 0;
  #lane = 0;

  /** Starts at the first slot of the bytes that {@linkcode RansEncoder.finish} gave. */
  constructor(bytes: Uint8Array) {
    this.#words = fromLittleEndian(bytes);
    for (let lane = 0; lane < LANES; lane++) {
      const high = this.#nextWord();
      this.#states[lane] = ((high << 16) | this.#nextWord()) >>> 0;
    }
  }

  /** The next slot's position in 0 .. 4095; follow with {@linkcode RansDecoder.take}. */
  peek(): number {
    return this.#states[this.#lane]! & (PROBABILITY_SCALE - 1);
  }

  /** Consumes the peeked slot, which lay `offset` past the start of an interval of `frequency`. */
  take(frequency: number, offset: number): void {
    let state = (Math.imul(frequency, this.#states[this.#lane]! >>> PROBABILITY_BITS) + offset) >>>
      0;
    if (state < STATE_LOWER_BOUND) state = ((state << 16) | this.#nextWord()) >>> 0;
    this.#states[this.#lane] = state;
    this.#lane = (this.#lane + 1) % LANES;
  }

  /** Reads `bits` bits that {@linkcode RansEncoder.putBits} wrote. */
  takeBits(bits: number): number {
    let value = 0;
    for (let left = bits; left > 0;) {
      const count = Math.min(left, PROBABILITY_BITS);
      left -= count;
      const shift = PROBABILITY_BITS - count;
      const slot = this.peek();
      value = ((value << count) | (slot >>> shift)) >>> 0;
      this.take(1 << shift, slot & ((1 << shift) - 1));
    }
    return value;
  }

  /** Whether all words are consumed and every lane is back at its first state. */
  isAtEnd(): boolean {
    return this.#position === this.#words.length &&
      this.#states.every((state) => state === STATE_LOWER_BOUND);
  }

  #nextWord(): number {
    return this.#words[this.#position++] ?? 0;
  }
}

function toLittleEndian(words: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < words.length; i++) view.setUint16(2 * i, words[i]!, true);
  return bytes;
}

function fromLittleEndian(bytes: Uint8Array): Uint16Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = new Uint16Array(bytes.length >> 1);
  for (let i = 0; i < words.length; i++) words[i] = view.getUint16(2 * i, true);
  return words;
}
