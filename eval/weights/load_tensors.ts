import { readTensorRows } from "../../data/read_rows.ts";
import type { WeightSource } from "../../data/tensor.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { releaseValues } from "../compute/backend.ts";
import { ParameterStore } from "./parameter_store.ts";
import { outputsFirstMatrices, type PreparedTensor, prepareTensor } from "./prepared_weights.ts";

/**
 * Reads some of a model's tensors onto the backend, one after another, and releases what was read.
 */
export async function loadTensors(
  model: TransformerDescription,
  source: WeightSource,
  names: readonly string[],
): Promise<ParameterStore> {
  const shapes = new Map(source.tensors.map(({ name, shape }) => [name, shape]));
  const outputsFirst = outputsFirstMatrices(model);
  const store = new ParameterStore(new Map(), true);
  for (const name of names) {
    const [rows = 0] = shapes.get(name) ?? [];
    await loadRows(store, source, name, [0, rows], outputsFirst.has(name));
  }
  return store;
}

/** Reads the rows of a tensor from the first to before the second number onto the backend. */
export async function loadRows(
  store: ParameterStore,
  source: WeightSource,
  name: string,
  [start, end]: readonly [start: number, end: number],
  outputsFirst: boolean,
): Promise<void> {
  const wanted = Int32Array.from({ length: end - start }, (_, i) => start + i);
  const tensor = await readTensorRows(source, name, wanted);
  store.load(name, prepareTensor(name, tensor, outputsFirst, false));
  releaseValues(tensor.data);
}

/** Reads what the embedding of some tokens needs: of the token embedding these tokens' rows only. */
export async function loadEmbedding(
  model: TransformerDescription,
  source: WeightSource,
  tokens: Iterable<number>,
): Promise<ParameterStore> {
  return new ParameterStore(await readEmbedding(model, source, tokens), true);
}

/** As {@linkcode loadEmbedding}, as values. */
export async function readEmbedding(
  model: TransformerDescription,
  source: WeightSource,
  tokens: Iterable<number>,
): Promise<Map<string, PreparedTensor>> {
  const { tokenEmbedding, positionEmbedding, embeddingNorm } = model;
  const prepared = new Map<string, PreparedTensor>();
  for (const name of [positionEmbedding, embeddingNorm?.weight, embeddingNorm?.bias]) {
    if (name === undefined) continue;
    prepared.set(name, prepareTensor(name, await source.read(name), false, false));
  }
  const rows = Int32Array.from(new Set(tokens)).sort();
  const tensor = await readTensorRows(source, tokenEmbedding, rows);
  prepared.set(tokenEmbedding, {
    ...prepareTensor(tokenEmbedding, tensor, false, false),
    places: new Map(Array.from(rows, (row, place) => [row, place])),
  });
  return prepared;
}
