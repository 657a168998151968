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
export type OnnxType = "float32" | "float16" | "int64" | "uint8";

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
  /** Its values, row-major; 16 bits each stand for a float16. */
  readonly data: Float32Array | Uint16Array | BigInt64Array | Uint8Array;
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
  /** Who defines it; ONNX if omitted. */
  readonly domain?: "com.microsoft";
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
/** Protobuf messages are limited to this, and a file of external data is kept below it as well. */
const LARGEST_MESSAGE = 2 ** 31 - 1;
/** External data begin at multiples of this, so that they can be mapped. */
const ALIGNMENT = 4096;
/** Tensors of fewer bytes stay in the model: ONNX Runtime looks into some of them. */
const SMALLEST_OUTSIDE = 1024;
/** TensorProto.DataType. */
const TYPE_CODES: Readonly<Record<OnnxType, number>> = {
  float32: 1,
  uint8: 2,
  int64: 7,
  float16: 10,
};

/**
 * The bytes of an ONNX file, in parts; the parts that hold large tensors are views of their data,
 * not copies. Any program that reads ONNX 1.15 or later reads it. Throws {@linkcode InputError}
 * where the file would be larger than 2 GiB, protobuf's limit: {@linkcode encodeOnnxFiles} has none.
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
  const model = encodeModel(graph, new Map());
  if (model.byteLength <= LARGEST_MESSAGE) return [...model.parts];
  throw new InputError(
    `the ONNX file would have ${model.byteLength} bytes, and the format ends at ${LARGEST_MESSAGE}; ` +
      `choose a smaller model`,
  );
}

/**
 * A model as the ONNX file `name` and, where that would be larger than `largest` bytes (2 GiB, protobuf's
 * limit, if omitted), its large tensors in files beside it: `name_data`, `name_data_1` and so on, as
 * transformers.js looks for them. Gives the parts of each file by its name; none is larger than
 * `largest`, but where a single tensor is.
 *
 * ```ts
 * import { encodeOnnxFiles } from "@kanpress/kanpress/onnx";
 * import assert from "node:assert";
 *
 * const graph = {
 *   inputs: [],
 *   outputs: [{ name: "y", type: "float32" as const, shape: [1000] }],
 *   tensors: [{ name: "w", shape: [1000], data: new Float32Array(1000) }],
 *   nodes: [{ operator: "Identity", inputs: ["w"], outputs: ["y"], attributes: {} }],
 * };
 * assert.deepEqual([...encodeOnnxFiles(graph, "model.onnx").keys()], ["model.onnx"]);
 * const divided = encodeOnnxFiles(graph, "model.onnx", 3000);
 * assert.deepEqual([...divided.keys()], ["model.onnx", "model.onnx_data"]);
 * ```
 */
export function encodeOnnxFiles(
  graph: OnnxGraph,
  name: string,
  largest: number = LARGEST_MESSAGE,
): Map<string, Uint8Array[]> {
  const whole = encodeModel(graph, new Map());
  if (whole.byteLength <= largest) return new Map([[name, [...whole.parts]]]);
  const places = new Map<OnnxTensor, ExternalPlace>();
  const files = new Map<string, Uint8Array[]>();
  let location = "", end = Infinity;
  for (const tensor of graph.tensors) {
    const length = tensor.data.byteLength;
    if (length < SMALLEST_OUTSIDE) continue;
    let offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    if (offset + length > largest) {
      location = files.size === 0 ? `${name}_data` : `${name}_data_${files.size}`;
      files.set(location, []);
      offset = end = 0;
    }
    files.get(location)!.push(new Uint8Array(offset - end), bytesOf(tensor));
    places.set(tensor, { location, offset, length });
    end = offset + length;
  }
  return new Map([[name, [...encodeModel(graph, places).parts]], ...files]);
}

/** Where the values of a tensor are, when they are not in the model. */
interface ExternalPlace {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

type ExternalPlaces = ReadonlyMap<OnnxTensor, ExternalPlace>;

function encodeModel(graph: OnnxGraph, places: ExternalPlaces): Message {
  const domains = new Set(graph.nodes.map(({ domain }) => domain).filter((name) => name));
  return message(
    integerField(1, FORMAT_VERSION),
    textField(2, "kanpress"),
    messageField(7, encodeGraph(graph, places)),
    messageField(8, message(textField(1, ""), integerField(2, OPERATOR_SET))),
    ...Array.from(
      domains,
      (domain) => messageField(8, message(textField(1, domain!), integerField(2, 1))),
    ),
  );
}

function encodeGraph(
  { inputs, outputs, tensors, nodes }: OnnxGraph,
  places: ExternalPlaces,
): Message {
  return message(
    ...nodes.map((node) => messageField(1, encodeNode(node))),
    textField(2, "kanpress"),
    ...tensors.map((tensor) => messageField(5, encodeTensor(tensor, places.get(tensor)))),
    ...inputs.map((value) => messageField(11, encodeValue(value))),
    ...outputs.map((value) => messageField(12, encodeValue(value))),
  );
}

function encodeNode({ operator, domain, inputs, outputs, attributes }: OnnxNode): Message {
  return message(
    ...inputs.map((name) => textField(1, name)),
    ...outputs.map((name) => textField(2, name)),
    textField(3, outputs[0]!),
    textField(4, operator),
    ...Object.entries(attributes).map(([name, attribute]) =>
      messageField(5, message(textField(1, name), encodeAttribute(attribute)))
    ),
    ...(domain === undefined ? [] : [textField(7, domain)]),
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

function encodeTensor(tensor: OnnxTensor, place: ExternalPlace | undefined): Message {
  const entry = ([key, value]: [string, string | number]) =>
    messageField(13, message(textField(1, key), textField(2, `${value}`)));
  return message(
    packedIntegersField(1, tensor.shape),
    integerField(2, TYPE_CODES[typeOf(tensor)]),
    textField(8, tensor.name),
    ...(place === undefined
      ? [bytesField(9, bytesOf(tensor))]
      : [...Object.entries(place).map(entry), integerField(14, 1)]),
  );
}

function typeOf({ data }: OnnxTensor): OnnxType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Uint16Array) return "float16";
  return data instanceof Uint8Array ? "uint8" : "int64";
}

function bytesOf({ data }: OnnxTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function encodeValue({ name, type, shape }: OnnxValue): Message {
  const axes = shape.map((size) =>
    messageField(1, typeof size === "number" ? integerField(1, size) : textField(2, size))
  );
  const tensor = message(integerField(1, TYPE_CODES[type]), messageField(2, message(...axes)));
  return message(textField(1, name), messageField(2, messageField(1, tensor)));
}
