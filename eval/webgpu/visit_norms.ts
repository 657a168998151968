import type { NormDescription } from "../architectures/description.ts";
import type { NormName } from "./model_weights.ts";
import type { Binding, Step } from "./program.ts";

/** Gives the steps that look at a layer's norms while it is gone through backward. */
export interface VisitNorms {
  /** Looks at what a norm of whole rows was given, and at the gradient by what it gave. */
  readonly whole: (
    which: NormName,
    norm: NormDescription,
    input: Binding,
    outputGradient: Binding,
  ) => readonly Step[];
  /**
   * Where norms of queries and keys leave the gradients by what they gave, each times what the scale
   * multiplied: as long as a projection.
   */
  readonly products: Binding;
  /** Looks at these, `[rows, size]`. */
  readonly parts: (which: NormName, rows: number, size: number) => readonly Step[];
}
