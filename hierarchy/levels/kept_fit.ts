import type { RowColumnScales } from "../entropy/row_column_scales.ts";
import type { SymbolModel } from "../entropy/symbol_model.ts";

/** The entropy model of matrices that were quantized at some step. */
export interface StepFit {
  /** The step that the matrices were divided by. */
  readonly step: number;
  /** Scales of each matrix; undefined of those that were not quantized. */
  readonly scales: readonly (RowColumnScales | undefined)[];
  /** The symbol model of all matrices. */
  readonly model: SymbolModel;
}

/** Octaves between steps up to which a fit at one is a good guess at the other. */
const REACH = 0.5;

/** The last fit of a search that codes the same matrices at one step after another. */
export class KeptFit {
  #last: StepFit | undefined;

  /** Keeps a fit instead of the one before. */
  keep(fit: StepFit): void {
    this.#last = fit;
  }

  /**
   * What the last fit says of a step: quotients grow as steps get smaller, and so do their scales.
   * Undefined where there is no fit of a step that is near.
   */
  at(step: number): Omit<StepFit, "step"> | undefined {
    if (this.#last === undefined) return undefined;
    const { scales, model, step: before } = this.#last;
    const octaves = Math.log2(before / step);
    if (Math.abs(octaves) > REACH) return undefined;
    const eighths = Math.round(8 * octaves);
    if (eighths === 0) return { scales, model };
    const moved = scales.map((scale) =>
      scale && { ...scale, rows: scale.rows.map((value) => value + eighths) }
    );
    return { scales: moved, model };
  }
}
