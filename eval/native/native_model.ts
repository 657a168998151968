import type { NormDescription, TransformerDescription } from "../architectures/description.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import { embedTokens } from "../model/embed_tokens.ts";
import { headTransformGraph, headValues, normGraph } from "./head_graphs.ts";
import type { HeadPart, HeadRows } from "./head_parts.ts";
import { layerValues } from "./layer_graphs.ts";
import { LayerRunner, type Sequences } from "./layer_runner.ts";
import { PartRunner } from "./part_runner.ts";
import type { NativeSessions } from "./sessions.ts";

/** A model and its weights, which are not copied, on the native runtime. */
export class NativeModel {
  /** The architecture. */
  readonly description: TransformerDescription;
  /** Runs parts of it. */
  readonly parts: PartRunner;
  /** Runs its layers. */
  readonly layers: LayerRunner;
  readonly #weights: PreparedWeights;
  readonly #readHead: ((part: HeadPart) => Promise<HeadRows>) | undefined;

  /**
   * Shares graphs with the other models of `sessions`. Weights may come and go, if those are there that
   * are needed next; `readHead` reads a part of the head that is not among them.
   */
  constructor(
    sessions: NativeSessions,
    description: TransformerDescription,
    weights: PreparedWeights,
    readHead?: (part: HeadPart) => Promise<HeadRows>,
  ) {
    this.description = description;
    this.#weights = weights;
    this.#readHead = readHead;
    this.parts = new PartRunner(sessions, weights);
    this.layers = new LayerRunner(this.parts, description);
  }

  /** The states before the first layer, `[tokens, hiddenSize]`. */
  async embed(ids: Int32Array, { length }: Sequences): Promise<Float32Array> {
    const { embeddingNorm } = this.description;
    const rows = embedTokens(this.description, this.#weights, ids, length);
    return embeddingNorm === undefined ? rows : await this.mapNorm(embeddingNorm, rows);
  }

  /** The states after the last layer, `[tokens, hiddenSize]`. */
  async run(ids: Int32Array, sequences: Sequences): Promise<Float32Array> {
    let states = await this.embed(ids, sequences);
    for (const index of this.description.layers.keys()) {
      const results = await this.layers.forward(index, states, sequences);
      states = results[layerValues.result]!.data as Float32Array;
    }
    return states;
  }

  /** Rows of states as they are known to others: after the last norm, where there is one. */
  async finish(rows: Float32Array): Promise<Float32Array> {
    const { finalNorm } = this.description;
    return finalNorm === undefined ? rows : await this.mapNorm(finalNorm, rows);
  }

  /** Finished rows as they go into the head's product. */
  async transform(rows: Float32Array): Promise<Float32Array> {
    const { headTransform, hiddenSize } = this.description;
    if (headTransform === undefined) return rows;
    const given = { [headValues.states]: rows };
    return await this.parts.mapRows("head", headTransform, headTransformGraph, given, hiddenSize);
  }

  /** Some rows of the head where it is not among the weights but read part by part. */
  async readHeadRows(part: HeadPart): Promise<HeadRows | undefined> {
    return await this.#readHead?.(part);
  }

  /** Normalizes rows of states by one of the model's norms. */
  async mapNorm(norm: NormDescription, rows: Float32Array): Promise<Float32Array> {
    const given = { [headValues.states]: rows };
    return await this.parts.mapRows("norm", { norm }, normGraph, given, norm.size);
  }
}
