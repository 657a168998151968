import {
  CLASS_COUNT,
  CLASSES_PER_OCTAVE,
  LARGEST_MAGNITUDE,
  UNIT_CLASS,
} from "./format/constants.ts";
import type { ByteSource } from "../data/byte_source.ts";
import { InputError } from "../data/input_error.ts";
import { openContainer } from "./file/container.ts";
import { sourceOf } from "./decode_container.ts";
import { symbolBits } from "./entropy/symbol_table.ts";
import { levelShapes } from "./levels/level_codecs.ts";
import { decodeIndices } from "./levels/trellis_codec.ts";
import { codedShapes } from "./file/plan_tensors.ts";

/** Two univariate functions whose sum is a field over a matrix, in octaves (log2). */
export interface AdditiveField {
  /** One value a row. */
  readonly rows: Float64Array;
  /** One value a column. */
  readonly columns: Float64Array;
}

/** What was learned about one matrix. */
export interface MatrixFunctions {
  /** Name of the tensor. */
  readonly name: string;
  /** log2 of the quantization step, up to a constant; absent where all steps are equal. */
  readonly logStep?: AdditiveField;
  /** log2 of the expected magnitude of a symbol, in steps. */
  readonly logScale: AdditiveField;
}

/** Code lengths for symbols of one expected magnitude. */
export interface CodeLengths {
  /** log2 of the expected magnitude, in steps. */
  readonly logScale: number;
  /** Bits of the symbols 0, 1, 2, … in the first quantizer. */
  readonly bits: Float64Array;
}

/** The univariate functions of a file's step fields and entropy model. */
export interface LearnedFunctions {
  /** The matrices, in the order of the file. */
  readonly matrices: readonly MatrixFunctions[];
  /** The second layer of the entropy model: a distribution for every octave of scale. */
  readonly codeLengths: readonly CodeLengths[];
}

/** Field values are eighths of an octave. */
const EIGHTHS = 8;
/** Symbols whose code lengths are given. */
const SYMBOLS = 17;

/**
 * Reads the functions that a compressed model has learned: what its entropy coder computes with.
 * Throws {@linkcode InputError} if the file has no trellis level.
 *
 * ```ts
 * import { HierarchicalCompressor, readLearnedFunctions } from "@kanpress/kanpress/hierarchy";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i) * (1 + i % 64));
 * const weights = new Map([["w", { dtype: "F32" as const, shape: [64, 64], data }]]);
 * const compressed = await new HierarchicalCompressor({ bits: 6 }).compress(weights);
 * const { matrices } = await readLearnedFunctions(compressed);
 * const { columns } = matrices[0]!.logScale;
 * assert.ok(columns[60]! > columns[1]! + 3); // larger columns were found to be larger
 * ```
 */
export async function readLearnedFunctions(
  compressed: { readonly bytes: Uint8Array } | Uint8Array | ByteSource,
): Promise<LearnedFunctions> {
  const { tensors, stages } = await openContainer(sourceOf(compressed));
  const shapes = codedShapes(tensors);
  for (const stage of stages) {
    const at = stage.findIndex(({ kind }) => kind === "trellis");
    if (at < 0) continue;
    const coded = levelShapes(stage, shapes)[at]!;
    const matrices: MatrixFunctions[] = [];
    let codeLengths: CodeLengths[] = [];
    decodeIndices(stage[at]!, coded, ({ piece: { matrix }, scales, tables }) => {
      if (matrices[matrix] !== undefined) return;
      const { name, rowColumnSteps } = coded[matrix]!;
      matrices[matrix] = {
        name,
        ...(rowColumnSteps === undefined ? {} : { logStep: inOctaves(rowColumnSteps) }),
        logScale: inOctaves(scales),
      };
      if (codeLengths.length === 0) codeLengths = lengthsOf(tables[0]!);
    });
    return { matrices, codeLengths };
  }
  throw new InputError("the file has no trellis level; compress with the preset rate or hybrid");
}

function inOctaves({ rows, columns }: { rows: Int32Array; columns: Int32Array }): AdditiveField {
  return {
    rows: Float64Array.from(rows, (value) => value / EIGHTHS),
    columns: Float64Array.from(columns, (value) => value / EIGHTHS),
  };
}

/** One class an octave, from a sixteenth of a step up. */
function lengthsOf(tables: readonly Parameters<typeof symbolBits>[0][]): CodeLengths[] {
  const lengths: CodeLengths[] = [];
  for (
    let index = UNIT_CLASS % CLASSES_PER_OCTAVE;
    index < CLASS_COUNT;
    index += CLASSES_PER_OCTAVE
  ) {
    const logScale = (index - UNIT_CLASS) / CLASSES_PER_OCTAVE;
    if (logScale < -4 || logScale > 3) continue;
    const bits = Float64Array.from(
      { length: Math.min(SYMBOLS, LARGEST_MAGNITUDE) },
      (_, k) => symbolBits(tables[index]!, k),
    );
    lengths.push({ logScale, bits });
  }
  return lengths;
}
