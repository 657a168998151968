import type { TransformerDescription } from "../architectures/description.ts";

/** Outputs of the head from the first to before the second number. */
export interface HeadPart {
  readonly start: number;
  readonly end: number;
}

/**
 * Outputs of a head that are multiplied at once: few enough that their logits stay in the processors'
 * caches.
 */
const partWidth = 2048;

/** The outputs of a head in parts. */
export function headParts({ head: { outputs } }: TransformerDescription): HeadPart[] {
  return Array.from({ length: Math.ceil(outputs / partWidth) }, (_, part) => ({
    start: part * partWidth,
    end: Math.min(outputs, (part + 1) * partWidth),
  }));
}

/** Some rows of a head: `[outputs, inputs]` and, if there are biases, theirs. */
export interface HeadRows {
  readonly weight: Float32Array;
  readonly bias?: Float32Array;
}
