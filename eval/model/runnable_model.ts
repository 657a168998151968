import type { TransformerDescription } from "../architectures/description.ts";
import type { ParameterStore } from "../weights/parameter_store.ts";

/** A model and its weights on the current backend. */
export interface RunnableModel {
  /** What to run. */
  readonly description: TransformerDescription;
  /** The weights. */
  readonly parameters: ParameterStore;
}
