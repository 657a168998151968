import { InputError } from "../input_error.ts";
import {
  bytesField,
  floatField,
  integerField,
  type Message,
  message,
  messageField,
  packedIntegersField,
  textField,
} from "./wire_format.ts";

/** Element types of the tensors that are written. */
export type OnnxType = "float32" | "int64";

/** A value that a graph is given or gives. */
export interface OnnxValue {
  /** Name by which nodes refer to it. */
  readonly name: string;
  /** Its element type. */
  readonly type: OnnxType;
  /** Sizes of its axes; a name stands for a size that is known when the graph runs. */
  readonly shape: readonly (number | string)[];
}

/** A constant of a graph. */
export interface OnnxTensor {
  /** Name by which nodes refer to it. */
  readonly name: string;
  /** Sizes of its axes. */
  readonly shape: readonly number[];
  /** Its values, row-major. */
  readonly data: Float32Array | BigInt64Array;
}

/** Attribute of a node: an integer, integers, a float or a text. */
export type OnnxAttribute =
  | { readonly integer: number }
  | { readonly integers: readonly number[] }
  | { readonly float: number }
  | { readonly text: string };

/** An operator that is applied to values. */
export interface OnnxNode {
  /** Name of the operator, such as `MatMul`. */
  readonly operator: string;
  /** Names of its inputs; an empty one stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  /** Names of its outputs, each different from every other name of the graph. */
  readonly outputs: readonly string[];
  /** Its attributes by name. */
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A computation: nodes in an order in which they can run. */
export interface OnnxGraph {
  /** What it is given. */
  readonly inputs: readonly OnnxValue[];
  /** What it gives. */
  readonly outputs: readonly OnnxValue[];
  /** Its constants. */
  readonly tensors: readonly OnnxTensor[];
  /** Its operators. */
  readonly nodes: readonly OnnxNode[];
}

/** Version of ONNX's operators; the first that has `Gelu`. */
const OPERATOR_SET = 20;
/** Version of the file format, of the same release of ONNX. */
const FORMAT_VERSION = 9;
/** Protobuf messages are limited to this. */
const LARGEST_MESSAGE = 2 ** 31 - 1;
/** TensorProto.DataType. */
const TYPE_CODES = { float32: 1, int64: 7 };

/**
 * The bytes of an ONNX file, in parts; the parts that hold large tensors are views of their data,
 * not copies. Any program that reads ONNX 1.15 or later reads it. Throws {@linkcode InputError}
 * where the file would be larger than 2 GiB, protobuf's limit.
 *
 * Field numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 *
 * ```ts
 * import { encodeOnnxModel } from "@kanpress/kanpress/onnx";
 * import assert from "node:assert";
 *
 * const parts = encodeOnnxModel({
 *   inputs: [{ name: "x", type: "float32", shape: ["rows", 2] }],
 *   outputs: [{ name: "y", type: "float32", shape: ["rows", 1] }],
 *   tensors: [{ name: "w", shape: [2, 1], data: Float32Array.of(1, 2) }],
 *   nodes: [{ operator: "MatMul", inputs: ["x", "w"], outputs: ["y"], attributes: {} }],
 * });
 * assert.ok((await new Blob(parts as BlobPart[]).text()).includes("MatMul"));
 * ```
 */
export function encodeOnnxModel(graph: OnnxGraph): Uint8Array[] {
  const model = message(
    integerField(1, FORMAT_VERSION),
    textField(2, "kanpress"),
    messageField(7, encodeGraph(graph)),
    messageField(8, message(textField(1, ""), integerField(2, OPERATOR_SET))),
  );
  if (model.byteLength <= LARGEST_MESSAGE) return [...model.parts];
  throw new InputError(
    `the ONNX file would have ${model.byteLength} bytes, and the format ends at ${LARGEST_MESSAGE}; ` +
      `choose a smaller model`,
  );
}

function encodeGraph({ inputs, outputs, tensors, nodes }: OnnxGraph): Message {
  return message(
    ...nodes.map((node) => messageField(1, encodeNode(node))),
    textField(2, "kanpress"),
    ...tensors.map((tensor) => messageField(5, encodeTensor(tensor))),
    ...inputs.map((value) => messageField(11, encodeValue(value))),
    ...outputs.map((value) => messageField(12, encodeValue(value))),
  );
}

function encodeNode({ operator, inputs, outputs, attributes }: OnnxNode): Message {
  return message(
    ...inputs.map((name) => textField(1, name)),
    ...outputs.map((name) => textField(2, name)),
    textField(3, outputs[0]!),
    textField(4, operator),
    ...Object.entries(attributes).map(([name, attribute]) =>
      messageField(5, message(textField(1, name), encodeAttribute(attribute)))
    ),
  );
}

/** The value of an attribute, and in field 20 which kind of value it is. */
function encodeAttribute(attribute: OnnxAttribute): Message {
  if ("float" in attribute) return message(floatField(2, attribute.float), integerField(20, 1));
  if ("integer" in attribute) {
    return message(integerField(3, attribute.integer), integerField(20, 2));
  }
  if ("text" in attribute) return message(textField(4, attribute.text), integerField(20, 3));
  return message(packedIntegersField(8, attribute.integers), integerField(20, 7));
}

function encodeTensor({ name, shape, data }: OnnxTensor): Message {
  const type = data instanceof Float32Array ? "float32" : "int64";
  return message(
    packedIntegersField(1, shape),
    integerField(2, TYPE_CODES[type]),
    textField(8, name),
    bytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );
}

function encodeValue({ name, type, shape }: OnnxValue): Message {
  const axes = shape.map((size) =>
    messageField(1, typeof size === "number" ? integerField(1, size) : textField(2, size))
  );
  const tensor = message(integerField(1, TYPE_CODES[type]), messageField(2, message(...axes)));
  return message(textField(1, name), messageField(2, messageField(1, tensor)));
}
