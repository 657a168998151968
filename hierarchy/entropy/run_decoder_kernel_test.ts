import { CLASS_COUNT, LARGEST_LOG_SCALE, UNIT_CLASS } from "../format/constants.ts";
import assert from "node:assert";
import fc from "fast-check";
import { InputError } from "../../data/input_error.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { RansEncoder } from "./rans.ts";
import { createRunDecoder, LONGEST_RUN, type RunDecoder } from "./run_decoder.ts";
import type { RowColumnScales } from "./row_column_scales.ts";
import { laplacianModel, symbolTables } from "./symbol_model.ts";
import { putSymbol } from "./symbol_table.ts";
import { diagonalCount, diagonalOf } from "../scan/diagonals.ts";
import { createTrellis } from "../scan/trellis.ts";
import { createRunDecoderKernel } from "./run_decoder_kernel.ts";

/** A stream of random indices, one in 50 far out, in random classes. */
function randomStream(states: number, length: number, seed: number) {
  const trellis = createTrellis(states);
  const tables = symbolTables(laplacianModel(states === 1 ? 1 : 2));
  const random = createRandom(seed);
  const classes = Uint8Array.from({ length }, () => random.integer(CLASS_COUNT));
  const encoder = new RansEncoder();
  const indices = Int32Array.from(classes, (index) => {
    const far = random.integer(50) === 0;
    const size = far ? 2 ** random.integer(30) : 2 ** ((index - 32) / 4);
    return Math.round(Math.min(Math.max(random.normal() * size, -(2 ** 29)), 2 ** 29));
  });
  let state = 0;
  indices.forEach((k, i) => {
    putSymbol(encoder, tables[state & 1]![classes[i]!]!, k);
    state = trellis.transitions[2 * state + (k & 1)]!;
  });
  return { trellis, tables, classes, indices, stream: encoder.finish() };
}

/** Everything that a decoder gives. */
function decodeAll(decoder: RunDecoder, classes: Uint8Array, stream: Uint8Array) {
  const indices = new Int32Array(classes.length), levels = new Float32Array(classes.length);
  decoder.start(stream);
  let state = 0;
  for (let at = 0; at < classes.length; at += LONGEST_RUN) {
    const count = Math.min(LONGEST_RUN, classes.length - at);
    decoder.classes.set(classes.subarray(at, at + count));
    state = decoder.decode(count, state);
    indices.set(decoder.indices.subarray(0, count), at);
    levels.set(decoder.levels.subarray(0, count), at);
  }
  return { indices, levels, state, complete: decoder.isAtEnd() };
}

/** As `decodeAll`, or the message of what it throws. */
function attempt(decoder: RunDecoder, classes: Uint8Array, stream: Uint8Array) {
  try {
    return decodeAll(decoder, classes, stream);
  } catch (error) {
    assert.ok(error instanceof InputError);
    return error.message;
  }
}

Deno.test("both decoders refuse escapes that are wider than any that is written", () => {
  for (const states of [1, 8]) {
    const { trellis, tables } = randomStream(states, 0, 1);
    for (const index of [0, UNIT_CLASS, CLASS_COUNT - 1]) {
      const { rawBits, reach, frequencies, starts } = tables[0]![index]!;
      for (let width = 26 - rawBits; width < 32; width++) {
        const encoder = new RansEncoder();
        encoder.put(starts[2 * reach + 1]!, frequencies[2 * reach + 1]!);
        encoder.putBits(width, 5);
        for (const bits of [width, 1, rawBits]) encoder.putBits(0xffff_ffff, bits);
        const stream = encoder.finish(), classes = Uint8Array.of(index);
        const expected = attempt(createRunDecoder(trellis, tables), classes, stream);
        const actual = attempt(createRunDecoderKernel(trellis, tables, 0)!, classes, stream);
        assert.deepEqual(actual, expected);
        const magnitude = (reach + 2 ** (width + 1) - 1) * 2 ** rawBits;
        assert.equal(typeof actual === "string", magnitude >= 2 ** 30, `width ${width}`);
      }
    }
  }
});

Deno.test("the kernel decodes what the reference decodes, to the end", () => {
  for (const states of [1, 4, 8, 256]) {
    for (const length of [0, 1, 5, 4097, 60_000]) {
      const { trellis, tables, classes, indices, stream } = randomStream(states, length, length);
      const expected = decodeAll(createRunDecoder(trellis, tables), classes, stream);
      const actual = decodeAll(createRunDecoderKernel(trellis, tables, 0)!, classes, stream);
      assert.deepEqual(actual.indices, indices);
      assert.ok(actual.complete);
      assert.deepEqual(actual, expected);
    }
  }
});

Deno.test("the kernel gives what the reference gives for damaged streams, too", () => {
  const { trellis, tables, classes, stream } = randomStream(8, 300, 5);
  const reference = createRunDecoder(trellis, tables);
  const kernel = createRunDecoderKernel(trellis, tables, 0)!;
  fc.assert(
    fc.property(
      fc.nat(stream.length),
      fc.array(fc.tuple(fc.nat(stream.length - 1), fc.integer({ min: 1, max: 255 }))),
      (length, flips) => {
        const damaged = stream.slice(0, length);
        for (const [at, bits] of flips) if (at < length) damaged[at]! ^= bits;
        const expected = attempt(reference, classes, damaged);
        assert.deepEqual(attempt(kernel, classes, damaged), expected);
      },
    ),
  );
});

Deno.test("decoders take turns with the kernel's tables", () => {
  const streams = [randomStream(1, 200, 1), randomStream(64, 200, 2)];
  const decoders = streams.map(({ trellis, tables }) =>
    createRunDecoderKernel(trellis, tables, 0)!
  );
  for (let turn = 0; turn < 4; turn++) {
    const { classes, indices, stream } = streams[turn % 2]!;
    assert.deepEqual(decodeAll(decoders[turn % 2]!, classes, stream).indices, indices);
  }
});

/** The classes of all values of a matrix, anti-diagonal by anti-diagonal, two parts to each. */
function classifyAll(decoder: RunDecoder, scales: RowColumnScales): number[] {
  const size = { rows: scales.rows.length, columns: scales.columns.length };
  const all: number[] = [];
  decoder.setScales(scales);
  for (let number = 0; number < diagonalCount(size); number++) {
    const { row, column, length } = diagonalOf(size, number);
    const top = length >> 1;
    decoder.classify({ row, column, length: top }, 1);
    decoder.classify({ row: row + top, column: column - top, length: length - top }, 1 + top);
    all.push(...decoder.classes.subarray(1, 1 + length));
  }
  return all;
}

Deno.test("the kernel classifies as the reference does, decoders and matrices in turn", () => {
  const { trellis, tables } = randomStream(8, 0, 1);
  const reference = createRunDecoder(trellis, tables);
  const make = () => createRunDecoderKernel(trellis, tables, 100)!;
  const kernels = [make(), make()];
  const values = fc.array(
    fc.oneof(
      fc.integer({ min: -80, max: 80 }),
      fc.integer({ min: -LARGEST_LOG_SCALE, max: LARGEST_LOG_SCALE }),
    ),
    { minLength: 1, maxLength: 50 },
  );
  fc.assert(fc.property(values, values, fc.nat(1), (rows, columns, which) => {
    const scales = { rows: Int32Array.from(rows), columns: Int32Array.from(columns) };
    const expected = classifyAll(reference, scales);
    assert.deepEqual(classifyAll(kernels[which]!, scales), expected);
  }));
});

Deno.test("a larger matrix gets a kernel with more room, and smaller ones keep theirs", () => {
  const { trellis, tables, classes, indices, stream } = randomStream(8, 300, 3);
  const scalesOf = (count: number) => ({
    rows: new Int32Array(count).fill(4),
    columns: new Int32Array(count).fill(-2),
  });
  const small = createRunDecoderKernel(trellis, tables, 20)!;
  const large = createRunDecoderKernel(trellis, tables, 200_000)!;
  assert.ok(classifyAll(small, scalesOf(10)).every((index) => index === UNIT_CLASS + 1));
  large.setScales(scalesOf(100_000));
  large.classify({ row: 99_990, column: 99_995, length: 10 }, 0);
  assert.ok(large.classes.subarray(0, 10).every((index) => index === UNIT_CLASS + 1));
  for (const decoder of [small, large]) {
    assert.deepEqual(decodeAll(decoder, classes, stream).indices, indices);
  }
});
