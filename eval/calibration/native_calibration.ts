import { releaseMemory } from "../../data/release_memory.ts";
import { headValues, normGradientGraph } from "../native/head_graphs.ts";
import { type LayerMoments, layerValues } from "../native/layer_graphs.ts";
import type { Sequences } from "../native/layer_runner.ts";
import { momentColumns, momentGraph, stripeName } from "../native/moment_graph.ts";
import { NativeModel } from "../native/native_model.ts";
import type { NativeResults } from "../native/part_runner.ts";
import { requireNativeRuntime } from "../native/runtime.ts";
import { sampledLoss } from "../native/sampled_loss.ts";
import { NativeSessions } from "../native/sessions.ts";
import { layerLinears } from "../weights/expected_tensors.ts";
import { addEnergies, type SharedMoments } from "./calibrate_chunks.ts";
import type { DeviceCalibrationOptions } from "./device_calibration.ts";
import type { SumsKeeper } from "./kept_sums.ts";
import { addStripe, type MomentTriangle } from "./second_moment.ts";
import {
  rowEnergies,
  rowPowers,
  sumTokens,
  type TokenSums,
  weighRows,
} from "../layers/token_counts.ts";

/** What {@linkcode calibrateNatively} is given. */
export interface NativeCalibrationOptions extends DeviceCalibrationOptions {
  /** Number of threads. */
  readonly threads: number;
  /** Whether to take as little memory as can be, and a little more time. */
  readonly savesMemory?: boolean;
  /** What keeps the sums every so often, if anything does. */
  readonly keeper?: SumsKeeper;
}

/** Tokens that go through the model at once, unless one chunk is longer. */
const tokensPerJob = 512;

/**
 * Calibrates on the native runtime: moments of a job, and jobs, are summed in float32. Gives
 * Σ p (1 - p) of each logit over all tokens, where there is a backward pass.
 */
export async function calibrateNatively(
  options: NativeCalibrationOptions,
): Promise<Float64Array | undefined> {
  const { chunks, contextLength, draws, threads, keeper, watch, onProgress, signal } = options;
  const width = contextLength * Math.max(1, Math.floor(tokensPerJob / contextLength));
  const sessions = new NativeSessions(requireNativeRuntime(), threads, {
    savesMemory: options.savesMemory === true,
  });
  try {
    const calibrator = new NativeCalibrator(sessions, options);
    const earlier = await keeper?.restore(chunks.length);
    calibrator.logitFisher.set(earlier?.logitSum ?? []);
    if (earlier) await watch?.restore(earlier.marks, earlier.tokens, chunks.length);
    let start = earlier?.tokens ?? 0;
    while (start < chunks.length && !watch?.isEnough) {
      signal?.throwIfAborted();
      const end = Math.min(chunks.length, start + width, watch?.next(start) ?? Infinity);
      const ids = chunks.subarray(start, end);
      const sequences = { batch: ids.length / contextLength, length: contextLength };
      await calibrator.run(ids, sequences, draws?.subarray(start, end));
      await watch?.look(end, chunks.length);
      onProgress?.(end / chunks.length);
      if (keeper?.isDue() || end === chunks.length || watch?.isEnough) {
        await keeper?.save({
          ...{ tokens: end, marks: watch?.marks ?? [] },
          ...(draws !== undefined && { logitSum: calibrator.logitFisher }),
        });
      }
      start = end;
    }
    return draws === undefined ? undefined : calibrator.logitFisher;
  } finally {
    await sessions.close();
  }
}

/** Where a layer's moments are added. */
interface LayerPlaces {
  /** Whose moments, by places in the layer. */
  readonly moments: LayerMoments;
  /** Numbers of the groups and blocks among those of all layers. */
  readonly groups: readonly number[];
  readonly blocks: readonly number[];
}

class NativeCalibrator {
  /** Σ p (1 - p) of each logit so far. */
  readonly logitFisher: Float64Array;
  readonly #options: NativeCalibrationOptions;
  readonly #model: NativeModel;
  readonly #layers: readonly LayerPlaces[];

  constructor(sessions: NativeSessions, options: NativeCalibrationOptions) {
    const { model, weights, moments } = options;
    this.#options = options;
    this.#model = new NativeModel(sessions, model, weights);
    this.#layers = findPlaces(this.#model, moments);
    this.logitFisher = new Float64Array(model.vocabularySize);
  }

  /** Adds what some chunks give to the moments. */
  async run(
    ids: Int32Array,
    sequences: Sequences,
    draws: Uint32Array | undefined,
  ): Promise<void> {
    const { layers } = this.#model;
    const states = [await this.#model.embed(ids, sequences)];
    for (const [index, places] of this.#layers.entries()) {
      const moments = draws === undefined ? { groups: places.moments.groups } : undefined;
      const results = await layers.forward(index, states.at(-1)!, sequences, moments);
      states.push(results[layerValues.result]!.data as Float32Array);
      if (draws !== undefined) continue;
      states.shift();
      for (const [at, group] of places.groups.entries()) {
        const sums = { energy: ids.length, count: ids.length };
        this.#addGroup(group, layerValues.inputMoment(at), results, sums);
      }
    }
    const last = states.pop()!;
    const hidden = await this.#model.finish(last);
    if (draws === undefined) {
      return await this.#addHead(hidden, { energy: ids.length, count: ids.length });
    }
    const { hiddenGradient, energies } = await sampledLoss(
      this.#model,
      hidden,
      draws,
      this.logitFisher,
    );
    await this.#addHead(weighRows(hidden, energies, rowPowers.inputs), sumTokens(energies));
    await this.#goBack(states, last, hiddenGradient, sequences);
  }

  async #goBack(
    states: Float32Array[],
    last: Float32Array,
    hiddenGradient: Float32Array,
    sequences: Sequences,
  ): Promise<void> {
    const { description: { hiddenSize, finalNorm }, layers, parts } = this.#model;
    let gradient = await parts.mapRows(
      "norm gradient",
      { norm: finalNorm! },
      normGradientGraph,
      { [headValues.states]: last, [headValues.gradient]: hiddenGradient },
      hiddenSize,
    );
    for (const [index, { moments, groups, blocks }] of [...this.#layers.entries()].toReversed()) {
      const results = await layers.backward(index, states.pop()!, gradient, sequences, moments);
      gradient = results[layerValues.result]!.data as Float32Array;
      for (const [at, group] of groups.entries()) {
        const sum = (name: string) => Number(results[name]!.data[0]);
        this.#addGroup(group, layerValues.inputMoment(at), results, {
          energy: sum(layerValues.energy(at)),
          count: sum(layerValues.count(at)),
        });
      }
      const { blockTriangles } = this.#options.moments;
      for (const [at, block] of blocks.entries()) {
        const { size } = this.#options.moments.blocks[block]!;
        addStripes(blockTriangles[block]!, size, layerValues.outputMoment(at), results);
      }
    }
    const { groups, blockTriangles } = this.#options.moments;
    const energies = rowEnergies(gradient, hiddenSize);
    const weighed = weighRows(gradient, energies, rowPowers.gradients);
    await this.#addMoment(blockTriangles.at(-1)!, hiddenSize, weighed);
    addEnergies(this.#options.moments, groups.length, sumTokens(energies));
  }

  #addGroup(group: number, moment: string, results: NativeResults, sums: TokenSums): void {
    const { groups, triangles } = this.#options.moments;
    addStripes(triangles[group]!, groups[group]!.size, moment, results);
    addEnergies(this.#options.moments, group, sums);
  }

  /** Adds what goes into the head, weighed by energies, to its moment. */
  async #addHead(rows: Float32Array, sums: TokenSums): Promise<void> {
    const { groups, triangles } = this.#options.moments;
    await this.#addMoment(triangles.at(-1)!, groups.at(-1)!.size, rows);
    addEnergies(this.#options.moments, groups.length - 1, sums);
  }

  async #addMoment(triangle: MomentTriangle, size: number, rows: Float32Array): Promise<void> {
    const { parts } = this.#model;
    const session = await parts.sessions.get(`moment ${size}`, () => momentGraph("moment", size));
    const feeds = { x: parts.floats(rows, rows.length / size, size) };
    addStripes(triangle, size, "moment", await session.run(feeds, session.outputNames));
  }
}

function addStripes(
  triangle: MomentTriangle,
  size: number,
  moment: string,
  results: NativeResults,
): void {
  for (const columns of momentColumns(size)) {
    const values = results[stripeName(moment, columns)]!.data as Float32Array;
    addStripe(triangle, size, { ...columns, values });
    // Those of a layer are as large as its moments, and the garbage collector is in no hurry.
    releaseMemory(values);
  }
}

/** Finds the groups and blocks of each layer. */
function findPlaces(
  { description, layers }: NativeModel,
  { groups, blocks }: SharedMoments,
): LayerPlaces[] {
  return description.layers.map((layer, index): LayerPlaces => {
    const own = new Set(layerLinears(layer).map(({ weight }) => weight));
    const numbers = <Item>(items: readonly Item[], weight: (item: Item) => string) =>
      items.flatMap((item, number) => own.has(weight(item)) ? [number] : []);
    const ownGroups = numbers(groups, ({ linears }) => linears[0]!.weight);
    const ownBlocks = numbers(blocks, ({ weight }) => weight);
    return {
      groups: ownGroups,
      blocks: ownBlocks,
      moments: {
        groups: ownGroups.map((group) =>
          groups[group]!.linears.map(({ weight }) => layers.placeOf(index, weight))
        ),
        blocks: ownBlocks.map((block) => {
          const { weight, start, size } = blocks[block]!;
          return { weight: layers.placeOf(index, weight), start, size };
        }),
      },
    };
  });
}
