import type { FeedbackOperations } from "./feedback_operations.ts";
import { FEEDBACK_WASM } from "../kernels/feedback_wasm.ts";
import { instantiateKernel, PAGE_BYTES } from "../kernels/instantiate.ts";

/** What feedback.as.ts exports; places and distances are in bytes. */
interface FeedbackExports {
  addProduct(
    size: number,
    to: number,
    errors: number,
    bandBytes: number,
    factors: number,
    stripBytes: number,
    depth: number,
  ): void;
  gather(
    row: number,
    column: number,
    length: number,
    above: number,
    height: number,
    targets: number,
    left: number,
    width: number,
  ): void;
  passOn(
    row: number,
    column: number,
    length: number,
    memory: number,
    above: number,
    height: number,
    rowFactors: number,
    targets: number,
    originals: number,
    left: number,
    width: number,
    factors: number,
    starts: number,
    ends: number,
  ): void;
}

/** Bytes at address 0 that are left alone: a cache line, so that subtiles fill whole ones. */
const RESERVED_BYTES = 64;
/** What 32-bit addresses reach, less a page. */
const MOST_BYTES = 2 ** 32 - PAGE_BYTES;

/**
 * `feedbackOperations` in WebAssembly SIMD, with the same results to the bit; `undefined` if the
 * platform lacks it. One matrix at a time: its memory, which grows with the largest, is used again for
 * the next.
 */
export function createErrorFeedbackKernel(): FeedbackOperations | undefined {
  const kernel = instantiateKernel<FeedbackExports>([FEEDBACK_WASM], RESERVED_BYTES, MOST_BYTES);
  if (kernel === undefined) return undefined;
  const { exports, memory } = kernel;
  return {
    allocate(length) {
      const missing = RESERVED_BYTES + 4 * length - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
      return new Float32Array(memory.buffer, RESERVED_BYTES, length).fill(0);
    },
    addProduct(_, { size, to, errors, bandLength, factors, stripLength, depth }) {
      exports.addProduct(
        size,
        address(to),
        address(errors),
        4 * bandLength,
        address(factors),
        4 * stripLength,
        depth,
      );
    },
    gather({ height, width, above, targets, left }, { row, column, length }) {
      exports.gather(
        row,
        column,
        length,
        address(above),
        height,
        address(targets),
        left === undefined ? 0 : address(left.sums),
        width,
      );
    },
    passOn(state, { row, column, length }) {
      const { height, width, above, rowFactors, targets, originals, left } = state;
      exports.passOn(
        row,
        column,
        length,
        RESERVED_BYTES,
        address(above),
        height,
        address(rowFactors),
        address(targets),
        address(originals),
        left === undefined ? 0 : address(left.sums),
        width,
        left?.factors.byteOffset ?? 0,
        left?.starts.byteOffset ?? 0,
        left?.ends.byteOffset ?? 0,
      );
    },
  };
}

/** Byte address of a place in the memory that is allocated. */
function address(place: number): number {
  return RESERVED_BYTES + 4 * place;
}
