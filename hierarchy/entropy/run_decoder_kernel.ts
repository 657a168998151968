import { CLASS_COUNT, PROBABILITY_SCALE, STATE_COUNTS, UNIT_CLASS } from "../format/constants.ts";
import { LONGEST_RUN, type RunDecoder } from "./run_decoder.ts";
import type { RowColumnScales } from "./row_column_scales.ts";
import { type SymbolTable, type SymbolTables, tooWide } from "./symbol_table.ts";
import type { Trellis } from "../scan/trellis.ts";
import { instantiateKernel, type Kernel } from "../kernels/instantiate.ts";
import { RANS_WASM } from "../kernels/rans_wasm.ts";

/** What rans.as.ts exports. */
interface RansExports {
  start(lanes: number, words: number): void;
  wasTooWide(): number;
  getWords(): number;
  setWords(at: number): void;
  classify(
    count: number,
    rows: number,
    columns: number,
    unit: number,
    last: number,
    classes: number,
  ): void;
  decode(
    count: number,
    state: number,
    transitions: number,
    symbols: number,
    intervals: number,
    shapes: number,
    firstRaw: number,
    classes: number,
    indices: number,
    quantizers: number,
  ): number;
  reconstruct(
    count: number,
    indices: number,
    quantizers: number,
    scale: number,
    levels: number,
  ): void;
}

/** An index takes at most eight words: its symbol, four of an escape, two of raw bits. */
const RUN_BYTES = 16 * LONGEST_RUN;
/** Part of a stream that is in the kernel's memory; at least {@linkcode RUN_BYTES}. */
const WINDOW_BYTES = 2 * RUN_BYTES;

/** Where things stand in the kernel's memory. */
const LANES = 0;
const TRANSITIONS = 64;
const SHAPES = TRANSITIONS + 8 * STATE_COUNTS.at(-1)!;
const CLASSES = SHAPES + 4 * CLASS_COUNT;
const QUANTIZERS = CLASSES + LONGEST_RUN + 16;
const INDICES = QUANTIZERS + LONGEST_RUN + 64;
const LEVELS = INDICES + 4 * LONGEST_RUN + 16;
const WINDOW = LEVELS + 4 * LONGEST_RUN + 16;
const INTERVALS = WINDOW + WINDOW_BYTES;
const SYMBOLS = INTERVALS + 2 * 4 * 256 * CLASS_COUNT;
const FIELD = SYMBOLS + 2 * PROBABILITY_SCALE * CLASS_COUNT;

/** A kernel and what is in its memory. */
interface RunningKernel extends Kernel<RansExports> {
  /** Largest number of rows and columns, together, of a matrix whose scales fit. */
  readonly room: number;
  /** Whose tables it has. */
  owner?: RunDecoder;
  /** Whose log-scales it has. */
  scales?: RowColumnScales;
}

let current: RunningKernel | undefined;

/** This thread's kernel, with room for the scales of matrices of `room` rows and columns. */
function kernelWithRoom(room: number): RunningKernel | undefined {
  if (current !== undefined && current.room >= room) return current;
  const kernel = instantiateKernel<RansExports>([RANS_WASM], FIELD + 2 * (room + 2 * 8));
  if (kernel !== undefined) current = { ...kernel, room };
  return kernel && current;
}

/**
 * The decoder of `createRunDecoder` in WebAssembly, with the same results; `undefined` if the
 * platform lacks it. All decoders of a thread share a megabyte of memory: one can be used after another
 * has ended its stream, but not in between. Matrices may have up to `room` rows and columns, together.
 */
export function createRunDecoderKernel(
  trellis: Trellis,
  tables: SymbolTables,
  room: number,
): RunDecoder | undefined {
  const kernel = kernelWithRoom(room);
  if (kernel === undefined) return undefined;
  const { exports, memory: { buffer: memory } } = kernel;
  const window = new Uint8Array(memory, WINDOW, WINDOW_BYTES);
  const firstRaw = tables[0]!.findIndex(({ rawBits }) => rawBits > 0);
  let stream: Uint8Array = new Uint8Array(), loaded = 0;
  /** Where the log-scales of the rows and those of the columns are, from last to first. */
  let rowsAt = 0, columnsAt = 0, lastColumn = 0;

  /** Moves the window on where a run could reach its end; words after the stream's are zero. */
  function refill(): void {
    const used = exports.getWords() - WINDOW;
    if (WINDOW_BYTES - used >= RUN_BYTES) return;
    window.copyWithin(0, used);
    fill(WINDOW_BYTES - used);
    exports.setWords(WINDOW);
  }

  function fill(from: number): void {
    const part = stream.subarray(loaded, loaded + WINDOW_BYTES - from);
    window.set(part, from);
    window.fill(0, from + part.length);
    loaded += WINDOW_BYTES - from;
  }

  const decoder: RunDecoder = {
    classes: new Uint8Array(memory, CLASSES, LONGEST_RUN),
    indices: new Int32Array(memory, INDICES, LONGEST_RUN),
    levels: new Float32Array(memory, LEVELS, LONGEST_RUN),
    start(bytes) {
      if (kernel.owner !== decoder) loadTables(memory, trellis, tables);
      kernel.owner = decoder;
      stream = bytes.subarray(0, bytes.length & ~1);
      loaded = 0;
      fill(0);
      exports.start(LANES, WINDOW);
    },
    setScales(scales) {
      const { rows, columns } = scales;
      [rowsAt, columnsAt] = [FIELD, FIELD + 2 * rows.length + 16];
      lastColumn = columns.length - 1;
      if (kernel.scales === scales) return;
      kernel.scales = scales;
      new Int16Array(memory, rowsAt, rows.length).set(rows);
      new Int16Array(memory, columnsAt, columns.length).set(columns.toReversed());
    },
    classify({ row, column, length }, at) {
      exports.classify(
        length,
        rowsAt + 2 * row,
        columnsAt + 2 * (lastColumn - column),
        UNIT_CLASS,
        CLASS_COUNT - 1,
        CLASSES + at,
      );
    },
    decode(count, state) {
      refill();
      const after = exports.decode(
        count,
        state,
        TRANSITIONS,
        SYMBOLS,
        INTERVALS,
        SHAPES,
        firstRaw < 0 ? CLASS_COUNT : firstRaw,
        CLASSES,
        INDICES,
        QUANTIZERS,
      );
      if (exports.wasTooWide()) throw tooWide();
      exports.reconstruct(count, INDICES, QUANTIZERS, trellis.states === 1 ? 0.5 : 1, LEVELS);
      return after;
    },
    isAtEnd() {
      const position = loaded - WINDOW_BYTES + exports.getWords() - WINDOW;
      return position === stream.length &&
        new Uint32Array(memory, LANES, 4).every((state) => state === 0x1_0000);
    },
  };
  return decoder;
}

function loadTables(memory: ArrayBufferLike, trellis: Trellis, tables: SymbolTables): void {
  loadTransitions(trellis, new Uint16Array(memory, TRANSITIONS));
  const shapes = new Uint8Array(memory, SHAPES);
  const symbols = new Int8Array(memory, SYMBOLS);
  const intervals = new Uint32Array(memory, INTERVALS);
  tables.forEach((row, quantizer) => {
    row.forEach((table, index) => {
      shapes[4 * index] = table.rawBits;
      shapes[4 * index + 1 + quantizer] = table.reach;
      loadSymbols(table, symbols, 2 * index * PROBABILITY_SCALE + quantizer);
      loadIntervals(table, intervals, (2 * index + quantizer) * 256);
    });
  });
}

/** Eight times the state after each, by the parities of what the two quantizers would give. */
function loadTransitions({ states, transitions }: Trellis, into: Uint16Array): void {
  for (let state = 0; state < states; state++) {
    for (let parities = 0; parities < 4; parities++) {
      const parity = parities >> (state & 1) & 1;
      into[4 * state + parities] = 8 * transitions[2 * state + parity]!;
    }
  }
}

/** Every other byte from `at` on: the signed bucket of a slot, or -128 for the escape. */
function loadSymbols({ reach, frequencies }: SymbolTable, symbols: Int8Array, at: number): void {
  for (let symbol = 0; symbol < frequencies.length; symbol++) {
    const bucket = bucketOrEscape(symbol, reach);
    for (let slots = frequencies[symbol]!; slots > 0; slots--, at += 2) symbols[at] = bucket;
  }
}

/** Frequency and start of the interval of each bucket, taken as an unsigned byte, from `at` on. */
function loadIntervals(table: SymbolTable, intervals: Uint32Array, at: number): void {
  const { reach, frequencies, starts } = table;
  for (let symbol = 0; symbol < frequencies.length; symbol++) {
    const byte = bucketOrEscape(symbol, reach) & 0xff;
    intervals[at + byte] = starts[symbol]! << 16 | frequencies[symbol]!;
  }
}

function bucketOrEscape(symbol: number, reach: number): number {
  return symbol > 2 * reach ? -128 : symbol - reach;
}
