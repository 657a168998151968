import { type FeedbackOperations, TILE } from "../quantize/error_feedback.ts";
import { FEEDBACK_WASM } from "./feedback_wasm.ts";
import { instantiateKernel, PAGE_BYTES } from "./instantiate.ts";

/** What feedback.as.ts exports; places and strides are in bytes. */
interface FeedbackExports {
  addProduct(
    to: number,
    toStride: number,
    errors: number,
    errorStride: number,
    factors: number,
    factorStride: number,
    depth: number,
  ): void;
  addNear(
    row: number,
    column: number,
    length: number,
    memory: number,
    above: number,
    height: number,
    rowFactors: number,
    left: number,
    width: number,
    factorRows: number,
    ends: number,
  ): void;
}

/** Bytes that are the kernel's own: address 0, and 128 rows of a tile. */
const RESERVED_BYTES = 16 + 4 * 128 * TILE;
/** What 32-bit addresses reach, less a page. */
const MOST_BYTES = 2 ** 32 - PAGE_BYTES;

/**
 * `feedbackOperations` in WebAssembly SIMD, with the same results to the bit; `undefined` where the
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
    addProduct(_, { to, toStride, errors, errorStride, factors, factorStride, depth }) {
      exports.addProduct(
        address(to),
        4 * toStride,
        address(errors),
        4 * errorStride,
        address(factors),
        4 * factorStride,
        depth,
      );
    },
    addNear({ height, width, above, rowFactors, left }, { row, column, length }) {
      exports.addNear(
        row,
        column,
        length,
        RESERVED_BYTES,
        address(above),
        height,
        address(rowFactors),
        left === undefined ? 0 : address(left.sums),
        width,
        left?.factorRows.byteOffset ?? 0,
        left?.ends.byteOffset ?? 0,
      );
    },
  };
}

/** Byte address of a place in the memory that is allocated. */
function address(place: number): number {
  return RESERVED_BYTES + 4 * place;
}
