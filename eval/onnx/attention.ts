import type {
  AttentionDescription,
  LinearDescription,
  NormDescription,
  RotaryDescription,
} from "../architectures/description.ts";
import { rotaryFrequencies } from "../layers/rotary_frequencies.ts";
import { normalize, softCap } from "./blocks.ts";
import type { GraphBuilder } from "./graph_builder.ts";
import { linear } from "./matrix_products.ts";

/** Names of the values that all layers share. */
export interface SharedValues {
  /** `[2]`: number of sequences, and tokens of each. */
  readonly sizes: string;
  /** Cosines and sines of the angles of each token and pair, `[.., length, pairs]`. */
  rotations(rotary: RotaryDescription): Rotations;
  /**
   * Zeros where a token may attend, large negative numbers elsewhere: `[.., length, total]`; undefined
   * if every token attends to all.
   */
  mask(slidingWindow: number | undefined): string | undefined;
}

/** Names of cosines and sines. */
export interface Rotations {
  readonly cosine: string;
  readonly sine: string;
}

/** Keys and values `[batch, keyValueHeads, tokens, headSize]`: names of those before and after. */
export interface CacheNames {
  /** Inputs: those of the tokens before. */
  readonly past: { readonly key: string; readonly value: string };
  /** Outputs: those of all tokens. */
  readonly present: { readonly key: string; readonly value: string };
}

/** Multi-head attention over `[batch * length, hiddenSize]`. */
export function attend(
  graph: GraphBuilder,
  attention: AttentionDescription,
  x: string,
  shared: SharedValues,
  cache?: CacheNames,
): string {
  const { heads, keyValueHeads, headSize, slidingWindow } = attention;
  const projected = project(graph, attention, x, shared);
  const place = (norm: NormDescription | undefined, x: string) =>
    rotate(graph, attention, norm === undefined ? x : normalize(graph, norm, x), shared);
  const scale = graph.float(attention.scale);
  let query = graph.apply("Mul", [place(attention.queryNorm, projected.query), scale]);
  let key = place(attention.keyNorm, projected.key);
  let value = projected.value;
  if (cache !== undefined) {
    key = remember(graph, cache.past.key, key, cache.present.key);
    value = remember(graph, cache.past.value, value, cache.present.value);
  }
  const mask = shared.mask(slidingWindow);
  const group = heads / keyValueHeads;
  if (group > 1) {
    const grouped = [keyValueHeads, group, -1, headSize];
    query = reshape(graph, query, [graph.integers(0), graph.integers(...grouped)]);
    key = graph.apply("Unsqueeze", [key, graph.integers(2)]);
    value = graph.apply("Unsqueeze", [value, graph.integers(2)]);
  }
  const rank = group > 1 ? [0, 1, 2, 4, 3] : [0, 1, 3, 2];
  const turned = graph.apply("Transpose", [key], { perm: { integers: rank } });
  const products = softCap(graph, graph.apply("MatMul", [query, turned]), attention.softCap);
  const scores = mask === undefined ? products : graph.apply("Add", [
    products,
    group > 1 ? graph.apply("Unsqueeze", [mask, graph.integers(2)]) : mask,
  ]);
  const shares = graph.apply("Softmax", [scores], { axis: { integer: -1 } });
  let mixed = graph.apply("MatMul", [shares, value]);
  if (group > 1) {
    mixed = reshape(graph, mixed, [graph.integers(0), graph.integers(heads, -1, headSize)]);
  }
  const byToken = graph.apply("Transpose", [mixed], { perm: { integers: [0, 2, 1, 3] } });
  const joined = reshape(graph, byToken, [graph.integers(-1, heads * headSize)]);
  return linear(graph, attention.output, joined);
}

/** Reshapes to the axes in several vectors, one after another. */
function reshape(graph: GraphBuilder, x: string, axes: readonly string[]): string {
  const shape = axes.length === 1
    ? axes[0]!
    : graph.apply("Concat", axes, { axis: { integer: 0 } });
  return graph.apply("Reshape", [x, shape]);
}

/** Queries, keys and values, `[batch, heads, length, headSize]`. */
function project(
  graph: GraphBuilder,
  attention: AttentionDescription,
  x: string,
  { sizes }: SharedValues,
): { query: string; key: string; value: string } {
  const { projection, heads, keyValueHeads, headSize } = attention;
  const swap = { perm: { integers: [0, 2, 1, 3] } };
  const split = (x: string, heads: number, features: number) => {
    const byHead = reshape(graph, x, [sizes, graph.integers(heads, features)]);
    return graph.apply("Transpose", [byHead], swap);
  };
  if (projection.kind === "separate") {
    const { query, key, value } = projection;
    const project = (layer: LinearDescription, norm: NormDescription | undefined) => {
      const y = linear(graph, layer, x);
      return norm === undefined ? y : normalize(graph, norm, y);
    };
    return {
      query: split(project(query, attention.allQueriesNorm), heads, headSize),
      key: split(project(key, attention.allKeysNorm), keyValueHeads, headSize),
      value: split(linear(graph, value, x), keyValueHeads, headSize),
    };
  }
  const joined = linear(graph, projection.linear, x);
  const group = heads / keyValueHeads;
  const parts = (x: string, features: number, queries: number) => {
    const axis = { integer: -1 };
    if (group === 1) {
      return graph.applyMany("Split", [x], 3, { axis, num_outputs: { integer: 3 } });
    }
    const sizes = graph.integers(queries * headSize, features, features);
    return graph.applyMany("Split", [x, sizes], 3, { axis });
  };
  if (projection.order === "byHead" && group === 1) {
    const [query, key, value] = parts(split(joined, heads, 3 * headSize), headSize, 1);
    return { query: query!, key: key!, value: value! };
  }
  const [query, key, value] = projection.order === "byRole"
    ? parts(joined, keyValueHeads * headSize, heads)
    : parts(
      reshape(graph, joined, [sizes, graph.integers(keyValueHeads, (group + 2) * headSize)]),
      headSize,
      group,
    );
  return {
    query: split(query!, heads, headSize),
    key: split(key!, keyValueHeads, headSize),
    value: split(value!, keyValueHeads, headSize),
  };
}

/** Turns the features of queries or keys by their positions, where the model does so. */
function rotate(
  graph: GraphBuilder,
  { rotary, headSize }: AttentionDescription,
  x: string,
  shared: SharedValues,
): string {
  if (rotary === undefined) return x;
  const { cosine, sine } = shared.rotations(rotary);
  const half = rotary.dimensions / 2;
  const rest = headSize - rotary.dimensions;
  const sizes = graph.integers(half, half, ...(rest > 0 ? [rest] : []));
  const axis = { axis: { integer: -1 } };
  const [a, b, kept] = graph.applyMany("Split", [x, sizes], rest > 0 ? 3 : 2, axis);
  const product = (x: string, y: string) => graph.apply("Mul", [x, y]);
  const first = graph.apply("Sub", [product(a!, cosine), product(b!, sine)]);
  const second = graph.apply("Add", [product(b!, cosine), product(a!, sine)]);
  return graph.apply("Concat", [first, second, ...(kept === undefined ? [] : [kept])], axis);
}

/** Cosines and sines for positions `[batch, 1, length, 1]`, given as floats. */
export function rotations(
  graph: GraphBuilder,
  rotary: RotaryDescription,
  positions: string,
): Rotations {
  const frequencies = frequenciesOf(graph, rotary, positions);
  const angles = graph.apply("Mul", [positions, frequencies]);
  const { attentionFactor } = rotary;
  const [cosine, sine] = ["Cos", "Sin"].map((name) => {
    const value = graph.apply(name, [angles]);
    if (attentionFactor === undefined) return value;
    return graph.apply("Mul", [value, graph.float(attentionFactor)]);
  });
  return { cosine: cosine!, sine: sine! };
}

/** Angles a position; where they depend on the length, that of the longest sequence so far counts. */
function frequenciesOf(graph: GraphBuilder, rotary: RotaryDescription, positions: string): string {
  const { dimensions, theta, scaling } = rotary;
  const apply = (operator: string, x: string, y: number) =>
    graph.apply(operator, [x, graph.float(y)]);
  const length = () => {
    const last = graph.apply("ReduceMax", [positions], { keepdims: { integer: 0 } });
    return apply("Add", last, 1);
  };
  switch (scaling?.kind) {
    case "longrope": {
      const original = scaling.originalContextLength;
      const [short, long] = [original, original + 1].map((length) =>
        graph.floats(rotaryFrequencies(rotary, length))
      );
      return graph.apply("Where", [apply("Greater", length(), original), long!, short!]);
    }
    case "dynamic": {
      const { factor, originalContextLength } = scaling;
      const growth = apply("Max", apply("Div", length(), originalContextLength), 1);
      const stretch = apply("Sub", apply("Mul", growth, factor), factor - 1);
      const exponent = dimensions / (dimensions - 2);
      const base = apply("Mul", apply("Pow", stretch, exponent), theta);
      const shares = Float64Array.from({ length: dimensions / 2 }, (_, i) => -2 * i / dimensions);
      return graph.apply("Pow", [base, graph.floats(shares)]);
    }
    default:
      return graph.floats(rotaryFrequencies(rotary, 1));
  }
}

/** Keys or values of the tokens before, and of these. */
function remember(graph: GraphBuilder, past: string, x: string, present: string): string {
  graph.applyAs(present, "Concat", [past, x], { axis: { integer: 2 } });
  return present;
}
