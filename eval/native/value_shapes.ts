import { greatest } from "../../data/extremes.ts";
import type { OnnxGraph, OnnxNode } from "../../data/onnx/onnx_model.ts";

/** What is known of the shapes of a graph's values without running it. */
export interface ValueShapes {
  /** Number of axes of a value. */
  rank(name: string): number;
  /** Axes, from 0, along which a value is known to have one element that others are to share. */
  unitAxes(name: string): readonly number[];
}

/** Follows ranks, and axes of one element, through the nodes of a graph. */
export function inferShapes({ inputs, tensors, nodes }: Omit<OnnxGraph, "outputs">): ValueShapes {
  const constants = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const ranks = new Map<string, number>(
    [...inputs, ...tensors].map(({ name, shape }) => [name, shape.length]),
  );
  /** Lengths of the vectors that reshapes are given. */
  const lengths = new Map<string, number>(
    [...inputs, ...tensors].flatMap(({ name, shape: [length] }) =>
      typeof length === "number" ? [[name, length]] : []
    ),
  );
  const units = new Map<string, readonly number[]>();
  const rank = (name: string) => ranks.get(name) ?? 0;
  const unitAxes = (name: string) => units.get(name) ?? [];
  const integersOf = (name: string | undefined) =>
    Array.from((constants.get(name ?? "")?.data ?? []) as BigInt64Array, Number);

  const follow = ({ operator, inputs, outputs: [output], attributes }: OnnxNode) => {
    const [first] = inputs as readonly [string];
    const largest = greatest(inputs.map(rank));
    switch (operator) {
      case "Reshape":
        return { rank: lengths.get(inputs[1]!) ?? 0, units: [] };
      case "Transpose": {
        const { integers } = attributes["perm"] as { integers: readonly number[] };
        const moved = unitAxes(first).map((axis) => integers.indexOf(axis));
        return { rank: integers.length, units: moved };
      }
      case "Unsqueeze": {
        const axes = integersOf(inputs[1]);
        const rest = unitAxes(first).map((axis) =>
          axes.reduce((at, added) => added <= at ? at + 1 : at, axis)
        );
        return { rank: rank(first) + axes.length, units: [...axes, ...rest] };
      }
      case "ReduceMean":
        return { rank: rank(first), units: integersOf(inputs[1]).map((a) => a + rank(first)) };
      case "Concat":
        lengths.set(
          output!,
          inputs.reduce((sum, name) => sum + (lengths.get(name) ?? NaN), 0),
        );
        return { rank: largest, units: [] };
      case "Gemm":
        return { rank: 2, units: [] };
      case "Split":
      case "Softmax":
      case "LayerNormalization":
        return { rank: rank(first), units: unitAxes(first).filter((a) => a !== rank(first) - 1) };
      case "MatMul": {
        const shared = unitAxes(first).filter((axis) => unitAxes(inputs[1]!).includes(axis));
        return { rank: largest, units: shared.filter((axis) => axis < largest - 2) };
      }
      default: {
        // Element by element: an axis stays 1 where it is in all that have one.
        const wide = inputs.filter((name) => rank(name) > 0);
        const shared = unitAxes(wide[0] ?? "").filter((axis) =>
          wide.every((name) => rank(name) === largest && unitAxes(name).includes(axis))
        );
        return { rank: largest, units: shared };
      }
    }
  };
  for (const node of nodes) {
    const found = follow(node);
    for (const output of node.outputs) {
      ranks.set(output, found.rank);
      units.set(output, found.units);
    }
  }
  return { rank, unitAxes };
}
