import { InputError } from "../input_error.ts";
import { quote } from "../quote.ts";

/** The tensors that stand for a weight, as they are stored. */
export interface QuantizedLayer {
  /** Name of the weight that they stand for, for messages. */
  readonly name: string;
  /** Integers, several in each word. */
  readonly words: Int32Array;
  /** Scale of each group of inputs, for each output: `[groups, outputs]`. */
  readonly scales: Float32Array;
  /** Integers that stand for 0, packed as the others are: `[groups, outputs * bits / 32]`. */
  readonly zeros: Int32Array;
  /** The group of each input, where inputs that follow each other are not of one. */
  readonly groupOf?: Int32Array;
}

/** What is known of a weight from the shapes of what stands for it. */
export interface LayerLayout {
  /** The method that wrote it. */
  readonly method: "GPTQ" | "AWQ";
  /** Bits of an integer. */
  readonly bits: number;
  /** Columns of the weight. */
  readonly inputs: number;
  /** Rows of the weight. */
  readonly outputs: number;
  /** Groups of inputs that share scales. */
  readonly groups: number;
}

/** Shapes of the tensors that stand for a weight. */
export interface LayerShapes {
  /** Of `qweight`. */
  readonly words: readonly number[];
  /** Of `qzeros`. */
  readonly zeros: readonly number[];
  /** Of `scales`. */
  readonly scales: readonly number[];
}

/**
 * Tells from shapes how a weight is packed: GPTQ packs inputs into words and has a column for each
 * output, AWQ packs eight outputs. Throws {@linkcode InputError} where the shapes are those of neither.
 */
export function layerLayout(name: string, shapes: LayerShapes): LayerLayout {
  const { words: [rows = 0, columns = 0], zeros: [, zeroColumns = 0] } = shapes;
  const [groups = 0, outputs = 0] = shapes.scales;
  const areMatrices = Object.values(shapes).every((shape: readonly number[]) =>
    shape.length === 2 && shape.every((size) => size > 0)
  );
  const bits = 32 * zeroColumns / outputs;
  const method = columns === outputs ? "GPTQ" : "AWQ";
  const inputs = method === "GPTQ" ? 32 * rows / bits : rows;
  const isKnown = method === "GPTQ"
    ? [2, 3, 4, 8].includes(bits) && Number.isInteger(inputs)
    : bits === 4 && columns === zeroColumns;
  if (areMatrices && isKnown && shapes.zeros[0] === groups && groups <= inputs) {
    return { method, bits, inputs, outputs, groups };
  }
  const told = Object.values(shapes).map((shape) => `[${shape.join(", ")}]`).join(", ");
  throw new InputError(
    `tensor ${
      quote(`${name}.qweight`)
    } with its qzeros and scales, of shapes ${told}, is packed in a ` +
      "way that is not supported: GPTQ of 2, 3, 4 or 8 bits and AWQ of 4 bits (gemm) are; take the " +
      "model that it was made from",
  );
}

/** The group of each input, where the checkpoint does not list them: runs of the same length. */
export function evenGroups(inputs: number, groups: number): Int32Array {
  const size = Math.ceil(inputs / groups);
  return Int32Array.from({ length: inputs }, (_, input) => Math.floor(input / size));
}
