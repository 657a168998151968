import type { LinearDescription, TransformerDescription } from "../architectures/description.ts";

/** Linear layers that see the same input. */
export interface InputGroup {
  /** Number of input features. */
  readonly size: number;
  /** The layers, in the order in which they run. */
  readonly linears: readonly LinearDescription[];
}

/** All linear layers by input, in the order in which the forward pass comes to them; head last. */
export function inputGroups(model: TransformerDescription): InputGroup[] {
  const groups: LinearDescription[][] = [];
  for (const { attention, feedForward } of model.layers) {
    const { projection } = attention;
    const { up, gate, down } = feedForward;
    groups.push(
      projection.kind === "joined"
        ? [projection.linear]
        : [projection.query, projection.key, projection.value],
      [attention.output],
      gate === undefined ? [up] : [gate, up],
      [down],
    );
  }
  groups.push([model.head]);
  return groups.map((linears) => ({ size: linears[0]!.inputs, linears }));
}
