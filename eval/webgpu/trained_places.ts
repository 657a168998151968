import type {
  LayerDescription,
  LinearDescription,
  NormDescription,
  TransformerDescription,
} from "../architectures/description.ts";
import type { GainedMatrix } from "./gains.ts";
import type { HeadPart, LayerBuffers, LinearBuffers, NormName } from "./model_weights.ts";
import type { LinearGroup } from "./layer_steps.ts";
import { groupLinears } from "./layer_steps.ts";
import type { RightType } from "./right_operand.ts";

/** Numbers of a tensor that stand in a row among all that are trained. */
export interface TrainedRun {
  /** The tensor's name. */
  readonly tensor: string;
  /** Its gains of rows or of columns, or its values. */
  readonly kind: "rows" | "columns" | "vector";
  /** Where they begin among all that are trained. */
  readonly place: number;
  /** Where they begin in the tensor. */
  readonly start: number;
  readonly length: number;
  /** Is added to the tensor's values. */
  readonly offset: number;
}

/** A linear layer, or several with the same inputs. */
export interface LinearPlaces {
  readonly matrix: GainedMatrix;
  /** Where the bias is, if there is one. */
  readonly bias?: number;
}

/** Where a norm's vectors are. */
export interface NormPlaces {
  readonly weight: number;
  readonly bias?: number;
  readonly size: number;
}

/** Where what is trained in one layer is. */
export type LayerPlaces =
  & Readonly<Record<LinearGroup, LinearPlaces>>
  & Readonly<Partial<Record<NormName, NormPlaces>>>;

/** Where everything that is trained stands. */
export interface TrainedPlaces {
  readonly layers: readonly LayerPlaces[];
  readonly finalNorm: NormPlaces;
  /** The head's parts. */
  readonly head: readonly GainedMatrix[];
  /** Gains of the rows of embeddings that a job's tokens look up, `[tokens]`, and of their columns. */
  readonly lookups: readonly { readonly rowGains: number; readonly columnGains: number }[];
  /** The divergence of each token, which comes with the gradients: at the very beginning. */
  readonly divergences: number;
  /** All but the gains of rows that tokens look up. */
  readonly runs: readonly TrainedRun[];
  /** How many numbers that are. */
  readonly size: number;
}

/** Numbers between two places: buffers can be bound every 256 bytes. */
const alignment = 64;

/** The embeddings of a model whose rows are looked up. */
export function embeddingsOf(
  { tokenEmbedding, positionEmbedding }: TransformerDescription,
): string[] {
  return [tokenEmbedding, ...(positionEmbedding === undefined ? [] : [positionEmbedding])];
}

/** Gives everything that is trained its place; `tokens` go through the model at once. */
export function placeTrained(
  model: TransformerDescription,
  layers: readonly LayerBuffers[],
  head: readonly HeadPart[],
  tokens: number,
): TrainedPlaces {
  let size = 0;
  const runs: TrainedRun[] = [];
  const take = (length: number): number => {
    const place = size;
    size += Math.ceil(length / alignment) * alignment;
    return place;
  };
  const add = (
    tensor: string,
    kind: TrainedRun["kind"],
    place: number,
    length: number,
    { start = 0, offset = 0 } = {},
  ) => runs.push({ tensor, kind, place, start, length, offset });
  const placeVector = (tensor: string, length: number, offset = 0): number => {
    const place = take(length);
    add(tensor, "vector", place, length, { offset });
    return place;
  };
  const placeNorm = ({ weight, weightOffset, bias, size }: NormDescription): NormPlaces => ({
    weight: placeVector(weight, size, weightOffset),
    ...(bias !== undefined && { bias: placeVector(bias, size) }),
    size,
  });
  const placeLinears = (
    linears: readonly LinearDescription[],
    { inputs, outputs, matrix: { buffer, layout, type } }: LinearBuffers,
  ): LinearPlaces => {
    // As on the device: one matrix as it is stored, or several as [outputs, inputs].
    const asStored = layout === "alongResult";
    const [rows, columns] = asStored ? [inputs, outputs] : [outputs, inputs];
    const [rowGains, columnGains] = [take(rows), take(linears.length * columns)];
    const ends: number[] = [];
    let before = 0;
    linears.forEach((linear, part) => {
      const height = asStored ? rows : linear.outputs;
      const turns = !asStored && linear.layout === "inputsByOutputs";
      add(linear.weight, turns ? "columns" : "rows", rowGains + before, height);
      add(linear.weight, turns ? "rows" : "columns", columnGains + part * columns, columns);
      before += height;
      ends.push(before);
    });
    const matrix = {
      rows,
      columns,
      ends,
      weights: buffer,
      type: floatType(type),
      rowGains,
      columnGains,
    };
    if (linears.every(({ bias }) => bias === undefined)) return { matrix };
    const bias = take(outputs);
    let at = bias;
    for (const linear of linears) {
      if (linear.bias !== undefined) add(linear.bias, "vector", at, linear.outputs);
      at += linear.outputs;
    }
    return { matrix, bias };
  };
  const placeLayer = (layer: LayerDescription, buffers: LayerBuffers): LayerPlaces => {
    const { queryNorm, keyNorm, allQueriesNorm, allKeysNorm } = layer.attention;
    const { attentionNorm, attentionOutputNorm, feedForwardNorm, feedForwardOutputNorm } = layer;
    const norms: Partial<Record<NormName, NormDescription | undefined>> = {
      attentionNorm,
      attentionOutputNorm,
      feedForwardNorm,
      feedForwardOutputNorm,
      queryNorm,
      keyNorm,
      allQueriesNorm,
      allKeysNorm,
    };
    const placed = Object.entries(norms).flatMap(([name, norm]) =>
      norm === undefined ? [] : [[name, placeNorm(norm)] as const]
    );
    const place = (group: LinearGroup) => placeLinears(groupLinears(layer, group), buffers[group]);
    return {
      projection: place("projection"),
      output: place("output"),
      up: place("up"),
      down: place("down"),
      ...Object.fromEntries(placed),
    };
  };
  const placeHead = (
    { start, end, matrix: { buffer, type } }: HeadPart,
  ): GainedMatrix => {
    const [rows, columns] = [end - start, model.hiddenSize];
    const [rowGains, columnGains] = [take(rows), take(columns)];
    add(model.head.weight, "rows", rowGains, rows, { start });
    add(model.head.weight, "columns", columnGains, columns);
    return {
      rows,
      columns,
      ends: [rows],
      weights: buffer,
      type: floatType(type),
      rowGains,
      columnGains,
    };
  };
  const divergences = take(tokens);
  const placed = {
    layers: layers.map((buffers, index) => placeLayer(model.layers[index]!, buffers)),
    finalNorm: placeNorm(model.finalNorm!),
    head: head.map(placeHead),
    lookups: embeddingsOf(model).map((tensor) => {
      const [rowGains, columnGains] = [take(tokens), take(model.hiddenSize)];
      add(tensor, "columns", columnGains, model.hiddenSize);
      return { rowGains, columnGains };
    }),
  };
  return { ...placed, divergences, runs, size };
}

/** The type of a matrix that is trained: whole numbers are not. */
function floatType(type: RightType = "f32"): GainedMatrix["type"] {
  if (type === "i8" || type === "i16") throw new RangeError("whole numbers are not trained");
  return type;
}
