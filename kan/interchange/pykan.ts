import type { BaseFunction } from "../bases/base_function.ts";
import type { KanLayerModel } from "../model/layer_model.ts";
import type { KanModel } from "../model/model.ts";
import { requireModel } from "../model/model_checks.ts";
import { decodeSafetensors } from "../model/safetensors.ts";
import { type SymbolicEdge, symbolicFunction } from "../model/symbolic_functions.ts";
import { basesFrom, type FileTensors, tensorsOf } from "./file_tensors.ts";

/** A network that another library has trained. */
export interface ImportedKan {
  /** The network. */
  readonly model: KanModel;
  /** Which columns of the samples it takes, in this order: pruning may have left some out. */
  readonly kept: readonly number[];
}

/**
 * The lines of Python that write a model of pykan 0.2 to `model.safetensors`, for {@link readPykan}.
 *
 * ```ts
 * import { pykanExport } from "@kanpress/kanpress/kan/interchange";
 *
 * console.log(pykanExport); // to be pasted where `model` is
 * ```
 */
export const pykanExport: string = `# pip install safetensors
import json
from safetensors.torch import save_file

base = model.base_fun_name  # after pruning it is no longer a name
config = {
    "width": model.width,
    "mult_arity": model.mult_arity,
    "base_fun": base if isinstance(base, str) else type(base).__name__.lower(),
    "symbolic": [layer.funs_name for layer in model.symbolic_fun],
    "input_id": model.input_id.tolist(),
}
tensors = {name: value.detach().clone().contiguous() for name, value in model.state_dict().items()}
save_file(tensors, "model.safetensors", metadata={"pykan": json.dumps(config, default=int)})
`;

/** pykan's names of functions that are called otherwise here. */
const NAMES: Readonly<Record<string, string>> = {
  sgn: "sign",
  arcsin: "asin",
  arccos: "acos",
  arctan: "atan",
  arctanh: "atanh",
  "x^0.5": "sqrt",
  "1/sqrt(x)": "1/sqrt",
  "1/x^0.5": "1/sqrt",
};

const BASES: Readonly<Record<string, BaseFunction>> = {
  silu: "silu",
  identity: "identity",
  zero: "none",
  function: "none", // zero is a lambda
};

interface Config {
  readonly width: readonly (readonly [number, number])[];
  readonly mult_arity: number | readonly (readonly number[])[];
  readonly base_fun: string;
  readonly symbolic: readonly (readonly (readonly string[])[])[];
  readonly input_id: readonly number[];
}

/**
 * A network of pykan 0.2 from the file that {@link pykanExport} writes: splines, base functions,
 * masks, products, affine nodes and symbolic edges. As in pykan, splines fade to 0 beyond their grids.
 * What a trained bias adds to a sum is put into a spline, which keeps it inside the grid only.
 *
 * @throws RangeError if the file is damaged or not such a file, an edge has a spline and a symbolic
 * form at once, or a function is unknown; add it with `addSymbolicFunction`.
 *
 * ```ts
 * import { readPykan } from "@kanpress/kanpress/kan/interchange";
 * import assert from "node:assert";
 *
 * const bytes = await Deno.readFile("kan/interchange/testdata/pykan.safetensors");
 * const { model, kept } = readPykan(bytes);
 * assert.deepEqual([model.layers.length, kept.length], [2, 2]);
 * ```
 */
export function readPykan(bytes: Uint8Array): ImportedKan {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const config = parseConfig(metadata.pykan);
  const files = tensorsOf(tensors);
  const layers = config.width.slice(1).map((_, l) => readLayer(files, config, l));
  const model = { layers };
  requireModel(model);
  if (config.input_id.length !== layers[0]!.inputDim) {
    throw new RangeError(
      `input_id names ${config.input_id.length} columns for ${layers[0]!.inputDim}`,
    );
  }
  return { model, kept: config.input_id };
}

function parseConfig(text: string | undefined): Config {
  if (text === undefined) {
    throw new RangeError('the file has no metadata entry "pykan"; write it as pykanExport does');
  }
  let config: Partial<Record<keyof Config, unknown>> | undefined;
  try {
    config = JSON.parse(text);
  } catch {
    // Falls through to the error below.
  }
  const { width, mult_arity: arity, base_fun: base, symbolic, input_id: inputs } = config ?? {};
  const isCounts = (list: unknown, length?: number) =>
    Array.isArray(list) && (length === undefined || list.length === length) &&
    list.every((count) => Number.isInteger(count) && count >= 0 && count <= 1e6);
  const isNames = (list: unknown) =>
    Array.isArray(list) && list.every((name) => typeof name === "string");
  const isSound = Array.isArray(width) && width.length >= 2 &&
    width.every((each) => isCounts(each, 2)) &&
    (isCounts([arity]) ||
      (Array.isArray(arity) && arity.length === width.length &&
        arity.every((each, l) => isCounts(each, width[l][1])))) &&
    Array.isArray(symbolic) && symbolic.length === width.length - 1 &&
    symbolic.every((rows) => Array.isArray(rows) && rows.every(isNames)) && isCounts(inputs);
  if (!isSound) throw new RangeError('the metadata entry "pykan" is not what pykanExport writes');
  if (typeof base !== "string" || !Object.hasOwn(BASES, base)) {
    throw new RangeError(`the base function "${base}" is none of ${Object.keys(BASES).join(", ")}`);
  }
  return config as unknown as Config;
}

function readLayer(files: FileTensors, config: Config, l: number): KanLayerModel {
  const { width, mult_arity: arity } = config;
  const inputDim = width[l]![0] + width[l]![1], [plain, count] = width[l + 1]!;
  const products = typeof arity === "number"
    ? Array<number>(count).fill(arity)
    : [...arity[l + 1]!];
  const outputDim = plain + products.reduce((sum, factors) => sum + factors, 0);
  const edges = inputDim * outputDim;
  const name = `act_fun.${l}.`;
  const { bases, size } = basesFrom(files, `${name}grid`, `${name}coef`, inputDim);
  const coefficients = transpose(
    files.find(`${name}coef`, [inputDim, outputDim, size]),
    inputDim,
    outputDim,
    size,
  );
  const square = (tensor: string) => files.find(tensor, [inputDim, outputDim]);
  const [masks, baseScales, splineScales] = ["mask", "scale_base", "scale_sp"].map((each) =>
    square(name + each)
  ) as [Float64Array, Float64Array, Float64Array];
  const symbolicMasks = files.find(`symbolic_fun.${l}.mask`, [outputDim, inputDim]);
  const affine = files.find(`symbolic_fun.${l}.affine`, [outputDim, inputDim, 4]);
  const { scales, shifts } = readAffineNodes(files, l, plain, products);
  const mask = new Uint8Array(edges), symbolic = new Map<number, SymbolicEdge>();
  for (let edge = 0; edge < edges; edge++) {
    const o = edge % outputDim, i = (edge - o) / outputDim, other = o * inputDim + i;
    const scale = masks[edge]! * scales[o]!;
    mask[edge] = masks[edge] === 0 ? 0 : 1;
    baseScales[edge]! *= scale;
    splineScales[edge]! *= scale;
    if (symbolicMasks[other] === 0) continue;
    const pykanName = config.symbolic[l]![o]?.[i];
    const functionName = NAMES[pykanName!] ?? pykanName;
    if (mask[edge] === 1) {
      throw new RangeError(
        `edge ${i} to ${o} of layer ${l} has a spline and a symbolic form at once`,
      );
    }
    if (functionName === undefined) throw new RangeError(`layer ${l} lacks names of functions`);
    symbolicFunction(functionName);
    const factor = symbolicMasks[other]! * scales[o]!;
    const [a, b, c, d] = affine.subarray(4 * other, 4 * other + 4);
    symbolic.set(edge, {
      name: functionName,
      inputScale: a!,
      inputShift: b!,
      outputScale: c! * factor,
      outputShift: d! * factor,
    });
  }
  const layer: KanLayerModel = {
    inputDim,
    outputDim,
    products,
    bases,
    base: BASES[config.base_fun]!,
    coefficients,
    baseWeights: config.base_fun === "zero" ? new Float64Array(0) : baseScales,
    splineScales,
    mask,
    symbolic,
  };
  shifts.forEach((shift, o) => shift !== 0 && addToSum(layer, symbolic, o, shift));
  return { ...layer, symbolic: new Map([...symbolic].sort(([a], [b]) => a - b)) };
}

/** What is left of pykan's affine nodes and subnodes: a factor and a summand of each sum. */
function readAffineNodes(
  files: FileTensors,
  l: number,
  plain: number,
  products: readonly number[],
): { scales: Float64Array; shifts: Float64Array } {
  const sums = plain + products.reduce((sum, count) => sum + count, 0);
  const scales = files.find(`subnode_scale_${l}`, [sums]);
  const shifts = files.find(`subnode_bias_${l}`, [sums]);
  const nodes = plain + products.length;
  const nodeScales = files.find(`node_scale_${l}`, [nodes]);
  const nodeShifts = files.find(`node_bias_${l}`, [nodes]);
  let start = plain;
  for (let node = 0; node < nodes; node++) {
    const isProduct = node >= plain, sum = isProduct ? start : node;
    if (isProduct && nodeShifts[node] !== 0) {
      throw new RangeError(
        `product ${node - plain} of layer ${l} has a bias, which is not supported`,
      );
    }
    scales[sum]! *= nodeScales[node]!;
    shifts[sum] = shifts[sum]! * nodeScales[node]! + nodeShifts[node]!;
    if (isProduct) start += products[node - plain]!;
  }
  return { scales, shifts };
}

/** Adds a constant to a sum: to a symbolic edge, else where an edge is free, else to a spline. */
function addToSum(
  layer: KanLayerModel,
  symbolic: Map<number, SymbolicEdge>,
  o: number,
  shift: number,
): void {
  const { inputDim, outputDim, coefficients } = layer, { size } = layer.bases[0]!;
  const places = Array.from({ length: inputDim }, (_, i) => i * outputDim + o);
  const named = places.find((edge) => symbolic.has(edge));
  if (named !== undefined) {
    const form = symbolic.get(named)!;
    symbolic.set(named, { ...form, outputShift: form.outputShift + shift });
    return;
  }
  const free = places.find((edge) => layer.mask[edge] === 0);
  if (free !== undefined) {
    const nothing = { name: "0", inputScale: 1, inputShift: 0, outputScale: 0 };
    symbolic.set(free, { ...nothing, outputShift: shift });
    return;
  }
  const largest = (a: number, b: number) =>
    Math.abs(layer.splineScales[b]!) > Math.abs(layer.splineScales[a]!) ? b : a;
  const taker = places.reduce(largest), scale = layer.splineScales[taker]!;
  if (scale === 0) throw new RangeError(`no edge can take the bias of sum ${o}`);
  const i = (taker - o) / outputDim;
  for (let j = 0; j < size; j++) coefficients[(i * size + j) * outputDim + o]! += shift / scale;
}

/** [inputs, outputs, size] as [inputs, size, outputs]. */
function transpose(values: Float64Array, inputs: number, outputs: number, size: number) {
  const turned = new Float64Array(values.length);
  for (let i = 0; i < inputs; i++) {
    for (let o = 0; o < outputs; o++) {
      for (let j = 0; j < size; j++) {
        turned[(i * size + j) * outputs + o] = values[(i * outputs + o) * size + j]!;
      }
    }
  }
  return turned;
}
