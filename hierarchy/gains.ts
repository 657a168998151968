import { fromFloat32 } from "../data/from_float32.ts";
import { InputError } from "../data/input_error.ts";
import { quote } from "../data/quote.ts";
import { bytesPerElement } from "../data/dtype.ts";
import { elementCount } from "../data/tensor.ts";
import { toFloat32 } from "../data/to_float32.ts";
import type { Container } from "./file/container.ts";
import { codedShapes } from "./file/plan_tensors.ts";
import type { StoredTensor } from "./file/tensor_names.ts";
import {
  decodeGains,
  encodeGains,
  gainOf,
  GAINS,
  type RoundedGains,
  roundGain,
} from "./levels/field_gains.ts";
import type { EncodedLevel } from "./levels/level.ts";

/** What the rows and columns of a tensor are multiplied by, in the order in which it is stored. */
export interface TensorGains {
  /** As many as the first size of the shape. */
  readonly rows: Float32Array;
  /** As many as the others multiply to. */
  readonly columns: Float32Array;
}

/**
 * The level of a file that gains belong to. Throws {@linkcode InputError} where what is decoded is not one
 * matrix times steps: of the presets, `rate` alone gives such files.
 */
function gainedLevel({ stages }: Container): EncodedLevel {
  const kinds = stages.map((stage) => stage.map(({ kind }) => kind).join(" then "));
  if (kinds.join() === "field then trellis") return stages[0]![0]!;
  throw new InputError(
    `the file's levels are ${kinds.join(" beside ") || "none"}: only files of the preset rate ` +
      "that code something have gains; compress with the preset rate",
  );
}

/** Names of the tensors that have gains, or could have. */
export function gainedTensors(container: Container): Set<string> {
  gainedLevel(container);
  return new Set(codedShapes(container.tensors).map(({ name }) => name));
}

/** The gains of a file's tensors, by name; tensors without any are not there. */
export function gainsOf(container: Container): Map<string, TensorGains> {
  const level = gainedLevel(container);
  const coded = codedTensorsOf(container);
  const rounded = decodeGains(level, codedShapes(container.tensors));
  const step = Number(level.parameters.gainStep);
  const values = (integers: Int32Array) => Float32Array.from(integers, (n) => gainOf(n, step));
  return new Map(coded.flatMap(({ name, transposed }, i) => {
    const own = rounded[i];
    if (own === undefined) return [];
    const gains = { rows: values(own.rows), columns: values(own.columns) };
    return [[name, transposed ? turned(gains) : gains]];
  }));
}

/** The same file without gains. */
export function withoutGains(container: Container): Container {
  const { parameters: { gainStep: _, ...parameters }, streams, kind } = gainedLevel(container);
  const kept = new Map([...streams].filter(([name]) => name !== GAINS));
  return replaceLevel(container, { kind, parameters, streams: kept });
}

/**
 * The same file with these gains in the place of its own, rounded to multiples of `gainStep` from 1. Throws
 * {@linkcode InputError} where the file cannot have gains, and for tensors that it does not code.
 */
export function withGains(
  container: Container,
  gains: ReadonlyMap<string, TensorGains>,
  gainStep: number,
): Container {
  const level = gainedLevel(container);
  const coded = codedTensorsOf(container);
  const known = new Set(coded.map(({ name }) => name));
  for (const name of gains.keys()) {
    if (!known.has(name)) throw new InputError(`no level codes tensor ${quote(name)}: no gains`);
  }
  const rounded = coded.map(({ name, transposed }): RoundedGains | undefined => {
    const own = gains.get(name);
    if (own === undefined) return undefined;
    const { rows, columns } = transposed ? turned(own) : own;
    const round = (values: Float32Array) =>
      Int32Array.from(values, (gain) => roundGain(gain, gainStep));
    return { rows: round(rows), columns: round(columns) };
  });
  const plain = withoutGains(container);
  if (rounded.every((own) => own === undefined)) return plain;
  const { kind, parameters } = level;
  const streams = new Map([...gainedLevel(plain).streams, [GAINS, encodeGains(rounded)]]);
  return replaceLevel(container, { kind, parameters: { ...parameters, gainStep }, streams });
}

/** What gains become where they are stored in multiples of `gainStep`. */
export function roundGains(gains: Float32Array, gainStep: number): Float32Array {
  return gains.map((gain) => gainOf(roundGain(gain, gainStep), gainStep));
}

/** Values as the file would hold them in the place of those of a tensor that it keeps verbatim. */
export function roundVerbatim({ tensors }: Container, name: string, values: Float32Array) {
  const { stored } = verbatimTensor(tensors, name);
  return toFloat32(stored, fromFloat32(stored, values), `tensor ${quote(name)}`);
}

/** The same file with other values of tensors that it keeps verbatim. */
export function withVerbatim(
  container: Container,
  values: ReadonlyMap<string, Float32Array>,
): Container {
  const verbatim = container.verbatim.slice();
  let start = 0;
  for (const { name, shape, stored } of container.tensors) {
    if (stored === undefined) continue;
    const own = values.get(name);
    if (own !== undefined) verbatim.set(fromFloat32(stored, own), start);
    start += elementCount(shape) * bytesPerElement(stored);
  }
  for (const name of values.keys()) verbatimTensor(container.tensors, name);
  return { ...container, verbatim };
}

function verbatimTensor(tensors: readonly StoredTensor[], name: string) {
  const stored = tensors.find((tensor) => tensor.name === name)?.stored;
  if (stored === undefined) throw new InputError(`tensor ${quote(name)} is not kept verbatim`);
  return { stored };
}

function codedTensorsOf({ tensors }: Container): readonly StoredTensor[] {
  return tensors.filter(({ stored }) => stored === undefined);
}

function replaceLevel(container: Container, level: EncodedLevel): Container {
  const [[, trellis]] = container.stages as [[EncodedLevel, EncodedLevel]];
  return { ...container, stages: [[level, trellis]] };
}

function turned({ rows, columns }: TensorGains): TensorGains {
  return { rows: columns, columns: rows };
}
