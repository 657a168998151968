import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor } from "../../data/onnx/onnx_model.ts";
import type { StateDict } from "../../data/tensor.ts";
import { float16Bits, type MatrixForm } from "./matrix_form.ts";

/** Collects the nodes and constants of a graph; values are known by their names. */
export interface GraphBuilder {
  /** How the checkpoint's matrices are written. */
  readonly matrices: MatrixForm;
  /** Adds an operator with one output, and gives its name; of ONNX, unless it is named otherwise. */
  apply(
    operator: string,
    inputs: readonly string[],
    attributes?: Attributes,
    domain?: OnnxNode["domain"],
  ): string;
  /** Adds an operator with `count` outputs. */
  applyMany(
    operator: string,
    inputs: readonly string[],
    count: number,
    attributes?: Attributes,
  ): string[];
  /** Adds an operator whose output has this name: one of the graph's outputs. */
  applyAs(name: string, operator: string, inputs: readonly string[], attributes?: Attributes): void;
  /** A tensor of constants, made by `data` the first time that it is asked for by this name. */
  constant(name: string, shape: readonly number[], data: () => OnnxTensor["data"]): string;
  /** A float constant. */
  float(value: number): string;
  /** A vector of floats. */
  floats(values: Float64Array): string;
  /** A vector of integers. */
  integers(...values: readonly number[]): string;
  /** An integer without axes. */
  integer(value: number): string;
  /** A tensor of the checkpoint, as floats. */
  weight(name: string): string;
  /** A tensor of the checkpoint, rounded to float16; throws {@linkcode InputError} where it is beyond. */
  half(name: string): string;
  /** All that was added. */
  finish(): Pick<OnnxGraph, "nodes" | "tensors">;
}

/** Attributes of an operator by name. */
export type Attributes = Readonly<Record<string, OnnxAttribute>>;

/** Begins a graph whose constants may come from `weights`. */
export function buildGraph(
  weights: StateDict,
  matrices: MatrixForm = { kind: "float32" },
): GraphBuilder {
  const nodes: OnnxNode[] = [];
  const tensors = new Map<string, OnnxTensor>();
  const add = (
    operator: string,
    inputs: readonly string[],
    count: number,
    attributes: Attributes = {},
    domain?: OnnxNode["domain"],
  ) => {
    const outputs = Array.from({ length: count }, (_, i) => `${operator}_${nodes.length}_${i}`);
    nodes.push({ operator, inputs, outputs, attributes, ...(domain && { domain }) });
    return outputs;
  };
  const constant: GraphBuilder["constant"] = (name, shape, data) => {
    if (!tensors.has(name)) tensors.set(name, { name, shape, data: data() });
    return name;
  };
  const toIntegers = (values: readonly number[]) => BigInt64Array.from(values, BigInt);
  return {
    matrices,
    applyMany: add,
    apply: (operator, inputs, attributes, domain) =>
      add(operator, inputs, 1, attributes, domain)[0]!,
    applyAs(name, operator, inputs, attributes = {}) {
      nodes.push({ operator, inputs, outputs: [name], attributes });
    },
    constant,
    float: (value) => constant(`float ${value}`, [], () => Float32Array.of(value)),
    floats: (values) =>
      constant(`floats ${values.join(" ")}`, [values.length], () => Float32Array.from(values)),
    integers: (...values) =>
      constant(`integers ${values.join(" ")}`, [values.length], () => toIntegers(values)),
    integer: (value) => constant(`integer ${value}`, [], () => toIntegers([value])),
    weight(name) {
      const { shape, data } = weights.get(name)!;
      return constant(name, shape, () => data);
    },
    half(name) {
      const { shape, data } = weights.get(name)!;
      return constant(`${name} half`, shape, () => float16Bits(name, data));
    },
    finish: () => ({ nodes, tensors: [...tensors.values()] }),
  };
}
