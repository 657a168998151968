import { transpose } from "../../data/transpose.ts";
import type { CodedWeights } from "../../hierarchy/coded_weights.ts";
import type { CodedMatrix } from "../../hierarchy/matrix/coded_matrix.ts";
import type { LinearDescription, TransformerDescription } from "../architectures/description.ts";
import { type ByteMatrix, byteMatrix } from "./byte_matrix.ts";

/**
 * The matrices of a model that bytes can hold, by their names in the checkpoint, each as
 * `[outputs, inputs]`, embeddings as `[tokens, features]`. `onProgress` is told the share that is done.
 */
export async function readByteMatrices(
  model: TransformerDescription,
  coded: CodedWeights,
  onProgress?: (share: number) => void,
): Promise<Map<string, ByteMatrix>> {
  const layouts = layoutsOf(model);
  const found = new Map<string, ByteMatrix>();
  let done = 0;
  for (const [name, layout] of layouts) {
    if (coded.names.has(name)) {
      const stored = await coded.read(name);
      const matrix = byteMatrix(layout === "inputsByOutputs" ? turned(stored) : stored);
      if (matrix !== undefined) found.set(name, matrix);
    }
    onProgress?.(++done / layouts.size);
  }
  return found;
}

/** All matrices that are multiplied by or whose rows are looked up, and how they are stored. */
function layoutsOf(model: TransformerDescription): Map<string, LinearDescription["layout"]> {
  const layouts = new Map<string, LinearDescription["layout"]>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if (isLinear(value)) layouts.set(value.weight, value.layout);
    else Object.values(value).forEach(visit);
  };
  visit(model);
  layouts.set(model.tokenEmbedding, "outputsByInputs");
  if (model.positionEmbedding !== undefined) {
    layouts.set(model.positionEmbedding, "outputsByInputs");
  }
  return layouts;
}

function isLinear(value: object): value is LinearDescription {
  return "layout" in value && "weight" in value;
}

function turned({ integers, factors }: CodedMatrix): CodedMatrix {
  const { name, rows, columns, data } = integers;
  return {
    integers: { name, rows: columns, columns: rows, data: transpose(data, rows, columns) },
    factors: { rows: factors.columns, columns: factors.rows },
  };
}
