import type { LinearDescription } from "../architectures/description.ts";

/**
 * Outputs of the head that are in the heap at once. Also the inner size of its backward product,
 * whose speed halves when it is too long for the cache.
 */
export const headBlockWidth = 3072;

/** Outputs of a head from the first to before the second number. */
export type HeadBlock = readonly [start: number, end: number];

/** The outputs of a head, `width` at a time. */
export function headBlocks({ outputs }: LinearDescription, width = headBlockWidth): HeadBlock[] {
  return Array.from({ length: Math.ceil(outputs / width) }, (_, block) => {
    const start = block * width;
    return [start, Math.min(outputs, start + width)];
  });
}
