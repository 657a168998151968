import type { LinearDescription } from "../architectures/description.ts";
import type { Trainables } from "./trainer.ts";

/** Factors of what goes into a linear layer and of what it gives. */
export interface InputOutputGains {
  readonly inputs: Float32Array;
  readonly outputs: Float32Array;
}

/** The gains of a linear layer's inputs and outputs: the arrays of what is trained. */
export function linearGains(
  { weight, layout }: LinearDescription,
  { gains }: Trainables,
): InputOutputGains {
  const { rows, columns } = gains.get(weight)!;
  return layout === "outputsByInputs"
    ? { inputs: columns, outputs: rows }
    : { inputs: rows, outputs: columns };
}
