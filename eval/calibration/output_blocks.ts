import type { TransformerDescription } from "../architectures/description.ts";
import { OUTPUT_ALIGNMENT } from "../../hierarchy/matrix/error_metric.ts";
import { modelLinears } from "../weights/expected_tensors.ts";

/** Outputs of a linear layer or of the embedding whose gradients are looked at together. */
export interface OutputBlock {
  /** Name of the layer's weight. */
  readonly weight: string;
  /** First output, a multiple of {@linkcode OUTPUT_ALIGNMENT}. */
  readonly start: number;
  /** Number of outputs. */
  readonly size: number;
}

/**
 * The most outputs of a block: moments take memory with its square. Joined queries, keys and values of
 * equal width fall into blocks of their own.
 */
const LARGEST_BLOCK = 1024;

/**
 * The outputs of all linear layers but the head, in blocks of about equal size; last, the features of
 * the embedded tokens.
 */
export function outputBlocks(model: TransformerDescription): OutputBlock[] {
  const blocks = modelLinears(model).filter(({ weight }) => weight !== model.head.weight)
    .flatMap(({ weight, outputs }) => {
      const count = Math.ceil(outputs / LARGEST_BLOCK);
      const width = Math.ceil(outputs / count / OUTPUT_ALIGNMENT) * OUTPUT_ALIGNMENT;
      return Array.from({ length: Math.ceil(outputs / width) }, (_, block) => {
        const start = block * width;
        return { weight, start, size: Math.min(width, outputs - start) };
      });
    });
  return [...blocks, { weight: model.tokenEmbedding, start: 0, size: model.hiddenSize }];
}
