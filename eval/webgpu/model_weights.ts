import type {
  LayerDescription,
  LinearDescription,
  NormDescription,
  TransformerDescription,
} from "../architectures/description.ts";
import { transpose } from "../../data/transpose.ts";
import type { ByteMatrix } from "../weights/byte_matrix.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import type { Device } from "./device.ts";
import { byteOperand, sliceRows } from "./byte_operand.ts";
import { halvesOf } from "./half_floats.ts";
import type { NormBuffers } from "./normalization.ts";
import type { InputOperand, RightOperand } from "./product.ts";
import type { Binding } from "./program.ts";

/** What the bytes of a matrix do not hold. */
export interface SparsePart {
  /** Where each row's entries start, and where the last row's end. */
  readonly starts: Binding;
  /** Pairs of a column and a float32 number. */
  readonly entries: Binding;
}

/** A matrix of weights on the device. */
export interface WeightMatrix extends RightOperand {
  /** What is added to whole numbers. */
  readonly sparse?: SparsePart;
}

/** A linear layer's matrix, or several with the same inputs one below the other. */
export interface LinearBuffers {
  readonly inputs: number;
  readonly outputs: number;
  /** As the right operand of x Wᵀ. */
  readonly matrix: WeightMatrix;
  readonly bias?: Binding;
}

/** Some outputs of the head. */
export interface HeadPart {
  readonly start: number;
  readonly end: number;
  readonly matrix: WeightMatrix;
}

/** One layer's weights. */
export interface LayerBuffers {
  readonly attentionNorm: NormBuffers;
  readonly projection: LinearBuffers;
  readonly queryNorm?: NormBuffers;
  readonly keyNorm?: NormBuffers;
  readonly allQueriesNorm?: NormBuffers;
  readonly allKeysNorm?: NormBuffers;
  readonly output: LinearBuffers;
  readonly attentionOutputNorm?: NormBuffers;
  readonly feedForwardNorm: NormBuffers;
  /** Gate and up, or up alone. */
  readonly up: LinearBuffers;
  readonly down: LinearBuffers;
  readonly feedForwardOutputNorm?: NormBuffers;
}

/** The norms that a layer may have. */
export type NormName = Exclude<keyof LayerBuffers, "projection" | "output" | "up" | "down">;

/** A model's weights on a device. Embeddings stay outside: their rows are looked up there. */
export interface ModelBuffers {
  readonly layers: readonly LayerBuffers[];
  readonly finalNorm: NormBuffers;
  readonly head: readonly HeadPart[];
  /** Everything that was allocated. */
  readonly buffers: readonly GPUBuffer[];
}

/**
 * Sends a model's weights to a device. Matrices whose values are all float16 numbers take half the
 * room, those that are held as whole numbers stay so; nothing is rounded.
 */
export function sendWeights(
  device: Device,
  model: TransformerDescription,
  weights: PreparedWeights,
): ModelBuffers {
  const buffers: GPUBuffer[] = [];
  const send = (values: Float32Array | Uint16Array | Uint32Array): GPUBuffer => {
    const buffer = device.allocate(values.byteLength);
    device.write(buffer, values);
    buffers.push(buffer);
    return buffer;
  };
  const sendMatrix = (
    values: Float32Array,
    stride: number,
    layout: InputOperand["layout"],
  ): WeightMatrix => {
    const halves = halvesOf(values, device.readsSmallHalves);
    return { buffer: send(halves ?? values), stride, layout, type: halves ? "f16" : "f32" };
  };
  const sendBytes = (matrices: readonly ByteMatrix[]): WeightMatrix => {
    const { type, values, scales, sparse } = byteOperand(matrices);
    return {
      buffer: send(values),
      stride: matrices[0]!.columns,
      layout: "alongInner",
      type,
      scales: send(scales),
      ...(sparse && { sparse: { starts: send(sparse.starts), entries: send(sparse.entries) } }),
    };
  };
  const bytesOf = (name: string) => weights.get(name)!.coded?.matrix;
  const valuesOf = (name: string) => weights.get(name)!.data;
  const sendNorm = ({ weight, weightOffset, bias }: NormDescription): NormBuffers => ({
    weight: send(
      weightOffset === undefined
        ? valuesOf(weight)
        : valuesOf(weight).map((value) => value + weightOffset),
    ),
    ...(bias !== undefined && { bias: send(valuesOf(bias)) }),
  });
  const sendLinears = (linears: readonly LinearDescription[]): LinearBuffers => {
    const outputs = linears.reduce((sum, linear) => sum + linear.outputs, 0);
    const { inputs, layout, weight } = linears[0]!;
    const coded = linears.map(({ weight }) => bytesOf(weight)).filter((each) => each !== undefined);
    const alone = linears.length === 1 && layout === "inputsByOutputs";
    const matrix = coded.length === linears.length
      ? sendBytes(coded)
      : alone
      ? sendMatrix(valuesOf(weight), outputs, "alongResult")
      : sendMatrix(joinOutputs(linears, valuesOf), inputs, "alongInner");
    const bias = linears.every((linear) => linear.bias === undefined)
      ? undefined
      : send(joinBiases(linears, valuesOf));
    return { inputs, outputs, matrix, ...(bias !== undefined && { bias }) };
  };
  const sendLayer = (layer: LayerDescription): LayerBuffers => {
    const { attention, feedForward: { gate, up, down } } = layer;
    const { attentionOutputNorm, feedForwardOutputNorm } = layer;
    const { projection, queryNorm, keyNorm, allQueriesNorm, allKeysNorm } = attention;
    return {
      attentionNorm: sendNorm(layer.attentionNorm),
      projection: sendLinears(
        projection.kind === "joined"
          ? [projection.linear]
          : [projection.query, projection.key, projection.value],
      ),
      ...(queryNorm !== undefined && { queryNorm: sendNorm(queryNorm) }),
      ...(keyNorm !== undefined && { keyNorm: sendNorm(keyNorm) }),
      ...(allQueriesNorm !== undefined && { allQueriesNorm: sendNorm(allQueriesNorm) }),
      ...(allKeysNorm !== undefined && { allKeysNorm: sendNorm(allKeysNorm) }),
      output: sendLinears([attention.output]),
      ...(attentionOutputNorm !== undefined && {
        attentionOutputNorm: sendNorm(attentionOutputNorm),
      }),
      feedForwardNorm: sendNorm(layer.feedForwardNorm),
      up: sendLinears(gate === undefined ? [up] : [gate, up]),
      down: sendLinears([down]),
      ...(feedForwardOutputNorm !== undefined && {
        feedForwardOutputNorm: sendNorm(feedForwardOutputNorm),
      }),
    };
  };
  const { head, finalNorm } = model;
  // Every architecture stores its head as [outputs, inputs]: a row is an output.
  const width = Math.floor(device.largestBinding / 4 / head.inputs / 4) * 4;
  const headBytes = bytesOf(head.weight);
  const parts = Array.from({ length: Math.ceil(head.outputs / width) }, (_, part): HeadPart => {
    const [start, end] = [part * width, Math.min(head.outputs, (part + 1) * width)];
    if (headBytes !== undefined) {
      return { start, end, matrix: sendBytes([sliceRows(headBytes, start, end)]) };
    }
    const rows = valuesOf(head.weight).subarray(start * head.inputs, end * head.inputs);
    return { start, end, matrix: sendMatrix(rows, head.inputs, "alongInner") };
  });
  return {
    layers: model.layers.map(sendLayer),
    finalNorm: sendNorm(finalNorm!),
    head: parts,
    buffers,
  };
}

/** Matrices with the same inputs as `[outputs, inputs]`, one below the other. */
function joinOutputs(
  linears: readonly LinearDescription[],
  valuesOf: (name: string) => Float32Array,
): Float32Array {
  const parts = linears.map(({ weight, layout, inputs, outputs }) =>
    layout === "outputsByInputs" ? valuesOf(weight) : transpose(valuesOf(weight), inputs, outputs)
  );
  return parts.length === 1 ? parts[0]! : concatenate(parts);
}

/** Biases beside each other; zeros for a layer without one. */
function joinBiases(
  linears: readonly LinearDescription[],
  valuesOf: (name: string) => Float32Array,
): Float32Array {
  return concatenate(
    linears.map(({ bias, outputs }) =>
      bias === undefined ? new Float32Array(outputs) : valuesOf(bias)
    ),
  );
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
