import { readTensorRows } from "../data/read_rows.ts";
import type { WeightSource } from "../data/tensor.ts";
import type { TransformerDescription } from "./architectures/description.ts";
import { ParameterStore } from "./parameter_store.ts";
import { outputsFirstMatrices, type PreparedTensor, prepareTensor } from "./prepared_weights.ts";

/** Reads some of a model's tensors. */
export async function loadTensors(
  model: TransformerDescription,
  source: WeightSource,
  names: readonly string[],
): Promise<ParameterStore> {
  return new ParameterStore(await prepareNamed(model, source, names), true);
}

/** Reads what the embedding of some tokens needs: of the token embedding these tokens' rows only. */
export async function loadEmbedding(
  model: TransformerDescription,
  source: WeightSource,
  tokens: Iterable<number>,
): Promise<ParameterStore> {
  const { tokenEmbedding, positionEmbedding, embeddingNorm } = model;
  const others = [positionEmbedding, embeddingNorm?.weight, embeddingNorm?.bias];
  const prepared = await prepareNamed(model, source, others.filter((name) => name !== undefined));
  const rows = Int32Array.from(new Set(tokens)).sort();
  const tensor = await readTensorRows(source, tokenEmbedding, rows);
  prepared.set(tokenEmbedding, {
    ...prepareTensor(tokenEmbedding, tensor, false, false),
    places: new Map(Array.from(rows, (row, place) => [row, place])),
  });
  return new ParameterStore(prepared, true);
}

async function prepareNamed(
  model: TransformerDescription,
  source: WeightSource,
  names: readonly string[],
): Promise<Map<string, PreparedTensor>> {
  const outputsFirst = outputsFirstMatrices(model);
  const prepared = new Map<string, PreparedTensor>();
  for (const name of names) {
    const tensor = await source.read(name);
    prepared.set(name, prepareTensor(name, tensor, outputsFirst.has(name), false));
  }
  return prepared;
}
