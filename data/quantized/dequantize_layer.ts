import { InputError } from "../input_error.ts";
import { quote } from "../quote.ts";
import { unpackIntegers } from "./packed_integers.ts";
import { evenGroups, type LayerLayout, type QuantizedLayer } from "./quantized_layer.ts";

/** The outputs of a word of AWQ, by the place of their four bits. */
const AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7] as const;

/**
 * The weight `[outputs, inputs]` that a layer of GPTQ or AWQ stands for: scale · (integer − zero), in
 * float32, which holds the products exactly. `zeroOffset` is added to GPTQ's zeros: 1 in its first
 * format, which stores them less one, 0 in the second and in AWQ.
 */
export function dequantizeLayer(
  layer: QuantizedLayer,
  layout: LayerLayout,
  zeroOffset: 0 | 1,
): Float32Array {
  const { inputs, groups, method } = layout;
  const groupOf = layer.groupOf ?? evenGroups(inputs, groups);
  if (groupOf.length !== inputs || !groupOf.every((group) => group >= 0 && group < groups)) {
    throw new InputError(
      `tensor ${
        quote(`${layer.name}.g_idx`)
      } does not give each of ${inputs} inputs one of ${groups} ` +
        "groups; get it again",
    );
  }
  return method === "GPTQ"
    ? dequantizeGptq(layer, layout, groupOf, zeroOffset)
    : dequantizeAwq(layer, layout, groupOf);
}

function dequantizeGptq(
  { words, zeros, scales }: QuantizedLayer,
  { bits, inputs, outputs, groups }: LayerLayout,
  groupOf: Int32Array,
  zeroOffset: 0 | 1,
): Float32Array {
  const zeroWords = zeros.length / groups;
  const allZeros = Array.from({ length: groups }, (_, group) => {
    return unpackIntegers(zeros, { first: group * zeroWords, stride: 1, bits, count: outputs });
  });
  const weight = new Float32Array(outputs * inputs);
  for (let output = 0; output < outputs; output++) {
    const column = unpackIntegers(words, { first: output, stride: outputs, bits, count: inputs });
    for (let input = 0; input < inputs; input++) {
      const group = groupOf[input]!;
      const zero = allZeros[group]![output]! + zeroOffset;
      weight[output * inputs + input] = scales[group * outputs + output]! * (column[input]! - zero);
    }
  }
  return weight;
}

function dequantizeAwq(
  { words, zeros, scales }: QuantizedLayer,
  { inputs, outputs }: LayerLayout,
  groupOf: Int32Array,
): Float32Array {
  const perRow = outputs / 8;
  const weight = new Float32Array(outputs * inputs);
  for (let input = 0; input < inputs; input++) {
    const group = groupOf[input]!;
    for (let place = 0; place < perRow; place++) {
      const word = words[input * perRow + place]!, zero = zeros[group * perRow + place]!;
      for (let nibble = 0; nibble < 8; nibble++) {
        const output = 8 * place + AWQ_ORDER[nibble]!;
        const integer = (word >>> 4 * nibble & 15) - (zero >>> 4 * nibble & 15);
        weight[output * inputs + input] = scales[group * outputs + output]! * integer;
      }
    }
  }
  return weight;
}
