import { requireModel } from "./model_checks.ts";
import type { BasisDescription } from "../bases/basis.ts";
import { basisFromDescription } from "../bases/describe.ts";
import type { BaseFunction } from "../bases/base_function.ts";
import type { KanLayerModel } from "./layer_model.ts";
import type { KanModel } from "./model.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  numbersOf,
  type StoredTensor,
} from "./safetensors.ts";
import type { Scaling } from "./scaling.ts";
import { type SymbolicEdge, symbolicFunction } from "./symbolic_functions.ts";

/** The first version; with scaled columns, which its readers would not know, it is the second. */
const PLAIN_VERSION = 1;
const SCALED_VERSION = 2;

/** What the metadata say of a layer; arrays are tensors of their own. */
interface LayerHeader {
  readonly inputDim: number;
  readonly outputDim: number;
  readonly products: readonly number[];
  readonly base: BaseFunction;
  readonly bases: readonly BasisDescription[];
  /** Edge index and function of each row of the symbolic tensor. */
  readonly symbolic: readonly (readonly [number, string])[];
}

/**
 * The model as the bytes of one safetensors file: `layers.N.coefficients` [inputDim, size,
 * outputDim], `.baseWeights` and `.splineScales` [inputDim, outputDim], `.symbolic` [edges, 4], all
 * F64, `.mask` U8, and everything else as JSON under the metadata key `kan`.
 *
 * ```ts
 * import { createKanModel, createRandom, decodeKan, encodeKan } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 5, 1], random: createRandom(0) });
 * const bytes = encodeKan(model); // e.g. for Deno.writeFile("model.safetensors", bytes)
 * assert.deepEqual(decodeKan(bytes).layers[1]!.coefficients, model.layers[1]!.coefficients);
 * ```
 */
export function encodeKan(model: KanModel): Uint8Array<ArrayBuffer> {
  requireModel(model);
  const tensors = new Map<string, StoredTensor>();
  const masks = new Map<string, StoredTensor>();
  const layers = model.layers.map((layer, l): LayerHeader => {
    const { inputDim, outputDim, products, base } = layer;
    const size = layer.bases[0]!.size;
    const add = (name: string, values: Float64Array, shape: readonly number[]) =>
      tensors.set(`layers.${l}.${name}`, { dtype: "F64", shape, bytes: littleEndian(values) });
    add("coefficients", layer.coefficients, [inputDim, size, outputDim]);
    for (const name of ["baseWeights", "splineScales"] as const) {
      if (layer[name].length > 0) add(name, layer[name], [inputDim, outputDim]);
    }
    const forms = [...layer.symbolic];
    if (forms.length > 0) {
      const numbers = forms.flatMap(([, form]) => {
        return [form.inputScale, form.inputShift, form.outputScale, form.outputShift];
      });
      add("symbolic", Float64Array.from(numbers), [forms.length, 4]);
    }
    const shape = [inputDim, outputDim];
    masks.set(`layers.${l}.mask`, { dtype: "U8", shape, bytes: layer.mask });
    const bases = layer.bases.map(({ description }) => description);
    const symbolic = forms.map(([edge, { name }]) => [edge, name] as const);
    return { inputDim, outputDim, products, base, bases, symbolic };
  });
  // Bytes after numbers, so that every number is aligned.
  const all = new Map([...tensors, ...masks]);
  const header = model.scaling === undefined
    ? { version: PLAIN_VERSION, layers }
    : { version: SCALED_VERSION, layers, scaling: model.scaling };
  return encodeSafetensors(all, { kan: JSON.stringify(header) });
}

/**
 * The model that {@link encodeKan} wrote, every number exactly as it was.
 *
 * @throws RangeError if the bytes are damaged, of another version, hold no network, or one whose
 * numbers are not finite.
 *
 * ```ts
 * import { createKanModel, createRandom, decodeKan, encodeKan } from "@kanpress/kanpress/kan";
 * import { Kan } from "@kanpress/kanpress/kan/layers";
 *
 * const bytes = encodeKan(createKanModel({ widths: [2, 5, 1], random: createRandom(0) }));
 * const kan = Kan.fromModel(decodeKan(bytes)); // on whichever tfjs backend is set
 * kan.dispose();
 * ```
 */
export function decodeKan(bytes: Uint8Array): KanModel {
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata.kan === undefined) throw new RangeError("the file holds no KAN");
  const { layers: headers, scaling } = parseHeader(metadata.kan);
  const layers = headers.map((header, l) => decodeLayer(header, `layers.${l}.`, tensors));
  const model = { layers, ...(scaling !== undefined && { scaling }) };
  requireModel(model);
  return model;
}

function parseHeader(text: string): { layers: LayerHeader[]; scaling: Scaling | undefined } {
  let header;
  try {
    header = JSON.parse(text);
  } catch {
    // Falls through to the errors below.
  }
  const { version, layers, scaling } = header ?? {};
  if (version !== PLAIN_VERSION && version !== SCALED_VERSION) {
    throw new RangeError(`the KAN has format version ${version}, this library reads 1 and 2`);
  }
  if (!Array.isArray(layers) || !layers.every(isLayerHeader)) {
    throw new RangeError("the file is damaged: its metadata are not those of a KAN");
  }
  if (version === PLAIN_VERSION) return { layers, scaling: undefined };
  if (!isScaling(scaling)) {
    throw new RangeError("the file is damaged: its metadata lack the scaling of the columns");
  }
  return { layers, scaling };
}

function isScaling(value: unknown): value is Scaling {
  const { inputs, outputs } = (value ?? {}) as Partial<Record<keyof Scaling, unknown>>;
  return [inputs, outputs].every((columns) =>
    Array.isArray(columns) &&
    columns.every((column) =>
      typeof column?.center === "number" && typeof column?.spread === "number"
    )
  );
}

function isLayerHeader(value: Partial<Record<keyof LayerHeader, unknown>> | null): boolean {
  const { inputDim, outputDim, products, base, bases, symbolic } = value ?? {};
  return typeof inputDim === "number" && typeof outputDim === "number" &&
    Array.isArray(products) && ["silu", "identity", "none"].includes(base as string) &&
    Array.isArray(bases) && bases.length > 0 && bases.every((basis) => basis?.kind !== undefined) &&
    Array.isArray(symbolic) && symbolic.every((row) => Array.isArray(row) && row.length === 2);
}

function decodeLayer(
  header: LayerHeader,
  prefix: string,
  tensors: ReadonlyMap<string, StoredTensor>,
): KanLayerModel {
  const { inputDim, outputDim, products, base } = header;
  const bases = header.bases.map(basisFromDescription);
  const find = (name: string, dtype: StoredTensor["dtype"], length: number) => {
    const tensor = tensors.get(prefix + name);
    const count = tensor?.shape.reduce((product, dim) => product * dim, 1);
    if (tensor?.dtype !== dtype || count !== length) {
      throw new RangeError(
        `the KAN lacks the tensor "${prefix}${name}" of ${length} ${dtype} values`,
      );
    }
    return tensor;
  };
  const edges = inputDim * outputDim;
  const optional = (name: string, length: number) =>
    tensors.has(prefix + name) ? numbersOf(find(name, "F64", length)) : new Float64Array(0);
  const size = bases[0]?.size ?? 0;
  const forms = optional("symbolic", 4 * header.symbolic.length);
  const symbolic = new Map(header.symbolic.map(([edge, name], row): [number, SymbolicEdge] => {
    symbolicFunction(name);
    const [a, b, c, d] = forms.subarray(4 * row, 4 * row + 4);
    return [edge, { name, inputScale: a!, inputShift: b!, outputScale: c!, outputShift: d! }];
  }));
  return {
    inputDim,
    outputDim,
    products,
    bases,
    base,
    coefficients: numbersOf(find("coefficients", "F64", inputDim * size * outputDim)),
    baseWeights: optional("baseWeights", edges),
    splineScales: optional("splineScales", edges),
    mask: find("mask", "U8", edges).bytes.slice(),
    symbolic,
  };
}

function littleEndian(values: Float64Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, i) => view.setFloat64(8 * i, value, true));
  return new Uint8Array(view.buffer);
}
