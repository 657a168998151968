/**
 * What every reader and writer of compressed files must agree on, beside the order of operations that
 * docs/format.md specifies. **Change any of these, or that order, and raise {@linkcode FORMAT_VERSION}**;
 * CONTRIBUTING.md says what else to do then. The kernel `rans.as.ts` repeats those that it needs.
 */

/** Value of the metadata entry `format`. */
export const FORMAT_NAME = "kanpress";
/** The newest version of the format: that of files with gains, or with more than 256 states. */
export const FORMAT_VERSION = "4";
/** Version of files with neither, which readers of that version read too. */
export const PLAIN_VERSION = "3";
/** Versions that this code reads. */
export const READ_VERSIONS: readonly string[] = [PLAIN_VERSION, FORMAT_VERSION];

// Entropy coder (rANS).

/** Number of bits of a probability. */
export const PROBABILITY_BITS = 12;
/** Sum of the frequencies of a table. */
export const PROBABILITY_SCALE = 1 << PROBABILITY_BITS;
/** Number of interleaved coder states. */
export const LANES = 4;
/** Coder states lie in [2^16, 2^32) and are renormalised by 16-bit words. */
export const STATE_LOWER_BOUND = 0x1_0000;

// Symbol tables.

/** Largest magnitude that has a symbol of its own; signed symbols must fit in 7 bits. */
export const LARGEST_MAGNITUDE = 60;
/** Symbols rarer than this many 4096ths are left to the escape code. */
export const RARE = 0.6;
/** Bits that say how wide an escaped magnitude is. */
export const ESCAPE_WIDTH_BITS = 5;
/** Scores are kept above the best one less this many sixteenths of a bit. */
export const LOWEST_SCORE = -1000;

// Vectors of integers.

/** Bits of the header of a vector: a table's number, a predictor's, and the values' median. */
export const TABLE_BITS = 4, PREDICTOR_BITS = 2, MEDIAN_BITS = 16;
/** Fractional bits of a predictor's running mean. */
export const MEAN_BITS = 8;

// Entropy model of quantization indices.

/** Number of classes; class c has log2 scale (c - 32) / 4. */
export const CLASS_COUNT = 96;
/** Classes per octave of scale. */
export const CLASSES_PER_OCTAVE = 4;
/** Class of scale 1, in steps of the quantizer. */
export const UNIT_CLASS = 32;
/** Values of scale fields are at most this far from zero, so that sums of two fit in 16 bits. */
export const LARGEST_LOG_SCALE = (1 << 14) - 1;
/** Buckets are made so wide that the scale, in buckets, is below 2^3. */
export const LARGEST_BUCKET_SCALE = 3;
/** Range and spacing, in octaves, of the knots of the shape of distributions. */
export const SHAPE_FROM = -4, SHAPE_TO = 4, SHAPE_SPACING = 0.5;
/** Range, in octaves, of the bumps' knots, one an octave. */
export const BUMP_FROM = -6, BUMP_TO = 6;
/** Magnitudes 0, 1, … that have a bump. */
export const BUMPED_MAGNITUDES = 3;

// Trellis.

/** Number of indices after which a trellis starts anew, so that parts can be decoded in parallel. */
export const PIECE_LENGTH = 1 << 19;
/** Number of indices that close a code stream. */
export const SEGMENT_LENGTH = PIECE_LENGTH / 2;
/** Numbers of states that a trellis can have. */
export const STATE_COUNTS = [1, 4, 8, 16, 32, 64, 128, 256, 1024, 4096] as const;
/** Most states of files of {@linkcode PLAIN_VERSION}. */
export const PLAIN_STATES = 256;
/** Parity-check polynomials of a code of rate 1/2: bit i is the coefficient of D^i. */
export type ParityChecks = readonly [h0: number, h1: number];
/**
 * Parity-check polynomials of systematic feedback codes of rate 1/2, by number of states. Up to 256
 * states they are Ungerboeck's for amplitude modulation (IEEE Transactions on Information Theory 28,
 * 1982, table I); beyond, the roundest that `bench/trellis_codes.ts` drew.
 */
export const PARITY_CHECKS: ReadonlyMap<number, ParityChecks> = new Map([
  [4, [0o5, 0o2]],
  [8, [0o13, 0o4]],
  [16, [0o23, 0o4]],
  [32, [0o45, 0o10]],
  [64, [0o103, 0o24]],
  [128, [0o235, 0o126]],
  [256, [0o515, 0o362]],
  [1024, [0o2205, 0o1402]],
  [4096, [0o14745, 0o5662]],
]);

// Steps and autoencoders.

/** Stands for the scale 0; other scales are clamped to ±999 eighths of an octave. */
export const ZERO_SCALE = -1000;
/** Order of splines: cubic. */
export const SPLINE_ORDER = 3;
/** Bits of a decoder's coefficient that the entropy coder models; those below are near to noise. */
export const MODELLED_BITS = 6;
