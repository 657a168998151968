import { LONGEST_RUN, type RunDecoder } from "../entropy/run_decoder.ts";
import { PROBABILITY_SCALE } from "../entropy/rans.ts";
import { CLASS_COUNT } from "../entropy/symbol_model.ts";
import type { SymbolTable, SymbolTables } from "../entropy/symbol_table.ts";
import type { Trellis } from "../quantize/trellis.ts";
import { instantiateKernel, type Kernel } from "./instantiate.ts";
import { RANS_WASM } from "./rans_wasm.ts";

/** What rans.as.ts exports. */
interface RansExports {
  start(lanes: number, words: number): void;
  getWords(): number;
  setWords(at: number): void;
  decode(
    count: number,
    state: number,
    transitions: number,
    slots: number,
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
const SHAPES = TRANSITIONS + 512;
const CLASSES = SHAPES + 4 * CLASS_COUNT;
const QUANTIZERS = CLASSES + LONGEST_RUN;
const INDICES = QUANTIZERS + LONGEST_RUN + 64;
const LEVELS = INDICES + 4 * LONGEST_RUN + 16;
const WINDOW = LEVELS + 4 * LONGEST_RUN + 16;
const SLOTS = WINDOW + WINDOW_BYTES;
const END = SLOTS + 8 * CLASS_COUNT * PROBABILITY_SCALE;

let kernel: Kernel<RansExports> | undefined;
/** Whose tables are in the kernel's memory. */
let owner: RunDecoder | undefined;

/**
 * The decoder of `createRunDecoder` in WebAssembly, with the same results; `undefined` where the
 * platform lacks it. All decoders of a thread share 3.4 MB of memory: one can be used after another
 * has ended its stream, but not in between.
 */
export function createRunDecoderKernel(
  trellis: Trellis,
  tables: SymbolTables,
): RunDecoder | undefined {
  kernel ??= instantiateKernel<RansExports>([RANS_WASM], END);
  if (kernel === undefined) return undefined;
  const { exports, memory: { buffer: memory } } = kernel;
  const window = new Uint8Array(memory, WINDOW, WINDOW_BYTES);
  const firstRaw = tables[0]!.findIndex(({ rawBits }) => rawBits > 0);
  let stream: Uint8Array = new Uint8Array(), loaded = 0;

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
      if (owner !== decoder) loadTables(memory, trellis, tables);
      owner = decoder;
      stream = bytes.subarray(0, bytes.length & ~1);
      loaded = 0;
      fill(0);
      exports.start(LANES, WINDOW);
    },
    decode(count, state) {
      refill();
      const after = exports.decode(
        count,
        state,
        TRANSITIONS,
        SLOTS,
        SHAPES,
        firstRaw < 0 ? CLASS_COUNT : firstRaw,
        CLASSES,
        INDICES,
        QUANTIZERS,
      );
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
  new Uint8Array(memory, TRANSITIONS).set(trellis.transitions);
  const slots = new Uint32Array(memory, SLOTS);
  const shapes = new Uint8Array(memory, SHAPES);
  tables.forEach((row, quantizer) => {
    row.forEach((table, index) => {
      shapes[4 * index] = table.rawBits;
      shapes[4 * index + 1 + quantizer] = table.reach;
      loadSlots(table, slots, 2 * index * PROBABILITY_SCALE + quantizer);
    });
  });
}

/** Every other slot from `at` on: the signed bucket or -128 for the escape, frequency - 1, offset. */
function loadSlots({ reach, frequencies }: SymbolTable, slots: Uint32Array, at: number): void {
  for (let symbol = 0; symbol < frequencies.length; symbol++) {
    const bucket = symbol > 2 * reach ? -128 : symbol - reach;
    const frequency = frequencies[symbol]!;
    const slot = (bucket << 24) | ((frequency - 1) << 12);
    for (let offset = 0; offset < frequency; offset++, at += 2) slots[at] = slot | offset;
  }
}
