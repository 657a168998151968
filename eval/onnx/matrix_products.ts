import type { LinearDescription } from "../architectures/description.ts";
import { BYTE_ZERO, type ByteMatrix } from "./byte_matrix.ts";
import type { GraphBuilder } from "./graph_builder.ts";
import type { ByteProduct } from "./matrix_form.ts";

/** ONNX's numbers of element types. */
const FLOAT32 = { to: { integer: 1 } }, FLOAT16 = { to: { integer: 10 } };
/** Fewest and most values of a block of `MatMulNBits`; a power of two. */
const SMALLEST_BLOCK = 16, LARGEST_BLOCK = 128;

/** y = x W + b for `[rows, inputs]`. */
export function linear(graph: GraphBuilder, layer: LinearDescription, x: string): string {
  const { matrices } = graph;
  const { weight, bias, layout } = layer;
  const gemm = (x: string, weight: string, ...bias: string[]) =>
    graph.apply("Gemm", [x, weight, ...bias], {
      transB: { integer: layout === "outputsByInputs" ? 1 : 0 },
    });
  if (matrices.kind === "float16") {
    const half = gemm(graph.apply("Cast", [x], FLOAT16), graph.half(weight));
    return addBias(graph, graph.apply("Cast", [half], FLOAT32), bias);
  }
  const bytes = matrices.kind === "bytes" ? matrices.matrices.get(weight) : undefined;
  if (bytes !== undefined && matrices.kind === "bytes") {
    return addBias(graph, byteProduct(graph, weight, bytes, matrices.product, x), bias);
  }
  return gemm(x, graph.weight(weight), ...(bias === undefined ? [] : [graph.weight(bias)]));
}

/** Rows of a matrix, `[ids, columns]`, for ids of any shape. */
export function matrixRows(graph: GraphBuilder, name: string, ids: string): string {
  const { matrices } = graph;
  const flat = graph.apply("Reshape", [ids, graph.integers(-1)]);
  if (matrices.kind === "float16") {
    return graph.apply("Cast", [graph.apply("Gather", [graph.half(name), flat])], FLOAT32);
  }
  const bytes = matrices.kind === "bytes" ? matrices.matrices.get(name) : undefined;
  return bytes !== undefined && matrices.kind === "bytes"
    ? byteRows(graph, name, bytes, matrices.product, flat)
    : graph.apply("Gather", [graph.weight(name), flat]);
}

function addBias(graph: GraphBuilder, y: string, bias: string | undefined): string {
  return bias === undefined ? y : graph.apply("Add", [y, graph.weight(bias)]);
}

/** The bytes as a constant; for `MatMulNBits` in blocks, the last of a row filled up with zeros. */
function bytesOf(
  graph: GraphBuilder,
  name: string,
  { rows, columns, bytes }: ByteMatrix,
  product: ByteProduct,
): string {
  if (product === "DequantizeLinear") {
    return graph.constant(`${name} bytes`, [rows, columns], () => bytes);
  }
  const block = blockSize(columns), blocks = Math.ceil(columns / block);
  return graph.constant(`${name} bytes`, [rows, blocks, block], () => {
    if (blocks * block === columns) return bytes;
    const filled = new Uint8Array(rows * blocks * block).fill(BYTE_ZERO);
    for (let i = 0; i < rows; i++) {
      filled.set(bytes.subarray(i * columns, (i + 1) * columns), i * blocks * block);
    }
    return filled;
  });
}

/** The largest that divides the columns, for the fewest factors. */
function blockSize(columns: number): number {
  let size = LARGEST_BLOCK;
  while (size > SMALLEST_BLOCK && columns % size !== 0) size /= 2;
  return size;
}

const rowFactorsOf = (graph: GraphBuilder, name: string, { rows, rowFactors }: ByteMatrix) =>
  graph.constant(`${name} row factors`, [rows], () => rowFactors);

/** Multiplies by the factors of columns, unless all are 1. */
function timesColumnFactors(
  graph: GraphBuilder,
  name: string,
  { columns, columnFactors }: ByteMatrix,
  x: string,
): string {
  if (columnFactors.every((factor) => factor === 1)) return x;
  const factors = graph.constant(`${name} column factors`, [columns], () => columnFactors);
  return graph.apply("Mul", [x, factors]);
}

function byteProduct(
  graph: GraphBuilder,
  name: string,
  matrix: ByteMatrix,
  product: ByteProduct,
  x: string,
): string {
  const { rows, columns, rowFactors, wideRows, wideColumns } = matrix;
  const scaled = timesColumnFactors(graph, name, matrix, x);
  const bytes = bytesOf(graph, name, matrix, product);
  let y: string;
  if (product === "DequantizeLinear") {
    const zeros = graph.constant(
      `zeros ${rows}`,
      [rows],
      () => new Uint8Array(rows).fill(BYTE_ZERO),
    );
    const factors = rowFactorsOf(graph, name, matrix);
    const inputs = [bytes, factors, zeros];
    const floats = graph.apply("DequantizeLinear", inputs, { axis: { integer: 0 } });
    y = graph.apply("Gemm", [scaled, floats], { transB: { integer: 1 } });
  } else {
    const block = blockSize(columns), blocks = Math.ceil(columns / block);
    const factors = graph.constant(
      `${name} block factors`,
      [rows * blocks],
      () =>
        Float32Array.from({ length: rows * blocks }, (_, i) => rowFactors[Math.floor(i / blocks)]!),
    );
    y = graph.apply("MatMulNBits", [scaled, bytes, factors], {
      K: { integer: columns },
      N: { integer: rows },
      bits: { integer: 8 },
      block_size: { integer: block },
    }, "com.microsoft");
  }
  if (wideColumns !== undefined) {
    const { places, values } = wideColumns;
    const picked = graph.apply("Gather", [x, graph.integers(...places)], { axis: { integer: 1 } });
    const part = graph.constant(`${name} wide columns`, [places.length, rows], () => values);
    y = graph.apply("Add", [y, graph.apply("MatMul", [picked, part])]);
  }
  if (wideRows !== undefined) {
    const { places, values } = wideRows;
    const part = graph.constant(`${name} wide rows`, [places.length, columns], () => values);
    const own = graph.apply("Gemm", [x, part], { transB: { integer: 1 } });
    y = exchange(graph, `${name} order of rows`, y, own, places, rows);
  }
  return y;
}

/** `x` with some of its `size` columns exchanged for those of `own`; `name` is that of the order. */
function exchange(
  graph: GraphBuilder,
  name: string,
  x: string,
  own: string,
  places: Int32Array,
  size: number,
): string {
  const axis = { axis: { integer: 1 } };
  const order = graph.constant(name, [size], () => {
    const order = BigInt64Array.from({ length: size }, (_, i) => BigInt(i));
    places.forEach((place, i) => order[place] = BigInt(size + i));
    return order;
  });
  return graph.apply("Gather", [graph.apply("Concat", [x, own], axis), order], axis);
}

function byteRows(
  graph: GraphBuilder,
  name: string,
  matrix: ByteMatrix,
  product: ByteProduct,
  ids: string,
): string {
  const { rows, columns, wideRows, wideColumns } = matrix;
  const picked = graph.apply("Gather", [bytesOf(graph, name, matrix, product), ids]);
  const floats = graph.apply("Cast", [picked], FLOAT32);
  const centred = graph.apply("Sub", [floats, graph.float(BYTE_ZERO)]);
  let x = centred;
  if (product === "MatMulNBits") {
    const block = blockSize(columns), filled = Math.ceil(columns / block) * block;
    x = graph.apply("Reshape", [x, graph.integers(-1, filled)]);
    if (filled !== columns) {
      x = graph.apply("Slice", [x, graph.integers(0), graph.integers(columns), graph.integers(1)]);
    }
  }
  const factors = graph.apply("Gather", [rowFactorsOf(graph, name, matrix), ids]);
  x = graph.apply("Mul", [x, graph.apply("Unsqueeze", [factors, graph.integers(1)])]);
  x = timesColumnFactors(graph, name, matrix, x);
  if (wideColumns !== undefined) {
    const { places, values } = wideColumns;
    const part = graph.constant(`${name} wide columns`, [places.length, rows], () => values);
    const own = graph.apply("Gather", [part, ids], { axis: { integer: 1 } });
    const turned = graph.apply("Transpose", [own], { perm: { integers: [1, 0] } });
    x = exchange(graph, `${name} order of columns`, x, turned, places, columns);
  }
  if (wideRows !== undefined) {
    const { places, values } = wideRows;
    const part = graph.constant(`${name} wide rows`, [places.length, columns], () => values);
    const number = graph.constant(`${name} wide numbers`, [rows], () => {
      const numbers = new BigInt64Array(rows).fill(-1n);
      places.forEach((place, i) => numbers[place] = BigInt(i));
      return numbers;
    });
    const found = graph.apply("Gather", [number, ids]);
    const own = graph.apply("Gather", [part, graph.apply("Max", [found, graph.integer(0)])]);
    const isWide = graph.apply("GreaterOrEqual", [found, graph.integer(0)]);
    const mask = graph.apply("Unsqueeze", [isWide, graph.integers(1)]);
    x = graph.apply("Where", [mask, own, x]);
  }
  return x;
}
