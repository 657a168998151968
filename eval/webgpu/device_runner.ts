import { greatest } from "../../data/extremes.ts";
import { InputError } from "../../data/input_error.ts";
import type { RotaryDescription, TransformerDescription } from "../architectures/description.ts";
import { checkTokenIds } from "../architectures/token_ids.ts";
import { addPositions, embedTokens } from "../model/embed_tokens.ts";
import type { TokenRunner } from "../model/token_runner.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import { attentionSteps } from "./attention_steps.ts";
import {
  appendStep,
  type CachedAttention,
  cachedAttentionStep,
  type LayerCache,
} from "./cached_attention.ts";
import type { Device } from "./device.ts";
import { embeddingOnDevice, embedStep } from "./embed_step.ts";
import { finishLogitsSteps } from "./elementwise.ts";
import type { Sequences } from "./layer_run.ts";
import { layerSteps } from "./layer_steps.ts";
import { linearSteps } from "./linear_steps.ts";
import type { ModelBuffers, WeightMatrix } from "./model_weights.ts";
import { normStep } from "./normalization.ts";
import { makePassBuffers, type PassBuffers, scoreBytes } from "./pass_buffers.ts";
import { runSteps, type Step } from "./program.ts";
import { rotationTable } from "./rotation.ts";
import { drawLabelsStep } from "./sampled_loss.ts";
import { tokensPerJob } from "./workspace.ts";

/** Tokens of a sequence that there is room for at first. */
const firstCapacity = 256;
/** Most tokens of a sequence whose attention is a product of squares. */
const longestSquare = 2048;

/** Most tokens that go through all layers in one command buffer: drivers end those that take seconds. */
const tokensAtOnce = 256;

/** Tokens of each sequence that are read together. */
interface Pass extends Sequences {
  /** Whether no tokens were read before. */
  readonly isFirst: boolean;
  /** What is wanted of the last tokens. */
  readonly gives: "nothing" | "logits" | "labels";
}

/** Reads sequences on a device, where keys and values stay; a step is one command buffer. */
export class DeviceRunner implements TokenRunner {
  readonly #device: Device;
  readonly #model: TransformerDescription;
  readonly #weights: PreparedWeights;
  readonly #buffers: ModelBuffers;
  /** The embedding, if its rows are looked up on the device. */
  readonly #embedding: WeightMatrix | undefined;
  readonly #past: GPUBuffer;
  readonly #rotations = new Map<string, { rotary: RotaryDescription; table: GPUBuffer }>();
  readonly #plans = new Map<string, readonly (readonly Step[])[]>();
  #length = 0;
  #sequences = 0;
  #capacity = 0;
  #caches: readonly LayerCache[] = [];
  #work: PassBuffers | undefined;

  /** Sequences without tokens, of a model whose weights are on the device. */
  constructor(
    device: Device,
    model: TransformerDescription,
    weights: PreparedWeights,
    buffers: ModelBuffers,
  ) {
    this.#device = device;
    this.#model = model;
    this.#weights = weights;
    this.#buffers = buffers;
    this.#embedding = embeddingOnDevice(model, buffers);
    this.#past = device.allocate(4);
  }

  get length(): number {
    return this.#length;
  }

  async run(ids: Int32Array, sequences: number): Promise<Float32Array> {
    const { logits: buffer } = await this.#readAll(ids, sequences, "logits");
    const { vocabularySize } = this.#model;
    const stride = this.#logitStride;
    const logits = new Float32Array(await this.#device.read(buffer, 4 * sequences * stride));
    if (stride === vocabularySize) return logits;
    for (let sequence = 1; sequence < sequences; sequence++) {
      const start = sequence * stride;
      logits.copyWithin(sequence * vocabularySize, start, start + vocabularySize);
    }
    return logits.subarray(0, sequences * vocabularySize);
  }

  /**
   * Reads tokens as {@linkcode DeviceRunner.run} does, and draws the next one of each sequence from the
   * softmax of its logits: the one at which the shares add up to `draws`, in parts of 2^32.
   */
  async draw(ids: Int32Array, sequences: number, draws: Uint32Array): Promise<Uint32Array> {
    const { labels } = await this.#readAll(ids, sequences, "labels", draws);
    return new Uint32Array(await this.#device.read(labels, 4 * sequences));
  }

  reset(): void {
    this.#length = 0;
  }

  dispose(): void {
    this.#freeCaches();
    this.#freeWork();
    for (const { table } of this.#rotations.values()) table.destroy();
    this.#rotations.clear();
    this.#past.destroy();
  }

  get #logitStride(): number {
    return Math.ceil(this.#model.vocabularySize / 4) * 4;
  }

  /** Reads tokens in as few passes as there is room for. */
  async #readAll(
    ids: Int32Array,
    sequences: number,
    gives: "logits" | "labels",
    draws?: Uint32Array,
  ): Promise<PassBuffers> {
    checkTokenIds(ids, this.#model.vocabularySize);
    if (this.#length > 0 && sequences !== this.#sequences) {
      throw new RangeError(`${this.#sequences} sequences are being read, not ${sequences}`);
    }
    const { gpu } = this.#device;
    const added = ids.length / sequences;
    gpu.pushErrorScope("out-of-memory");
    this.#makeRoom(sequences, this.#length + added);
    for (let from = 0; from < added;) {
      const length = Math.min(added - from, this.#longestPass(sequences));
      const tokens = new Int32Array(sequences * length);
      for (let sequence = 0; sequence < sequences; sequence++) {
        const start = sequence * added + from;
        tokens.set(ids.subarray(start, start + length), sequence * length);
      }
      from += length;
      const isFirst = this.#length === 0;
      const pass = { batch: sequences, length, isFirst, gives: from < added ? "nothing" : gives };
      this.#read(tokens, pass as Pass, draws);
    }
    if (await gpu.popErrorScope() !== null) {
      throw new InputError(
        "the graphics card has too little memory for this many tokens; choose the backend wasm",
      );
    }
    return this.#work!;
  }

  /** Tokens of each sequence that the next pass may read. */
  #longestPass(sequences: number): number {
    const { layers } = this.#model;
    const most = Math.floor(tokensPerJob(this.#model, this.#device) / sequences);
    if (this.#length === 0) {
      const square = Math.floor(Math.sqrt(this.#device.largestBinding / 4) / 4) * 4;
      return Math.max(1, Math.min(most, longestSquare, square));
    }
    const heads = greatest(layers.map(({ attention }) => attention.heads));
    const room = Math.floor(scoreBytes / 4 / heads / sequences / this.#capacity);
    return Math.max(1, Math.min(most, room));
  }

  /** Makes the caches large enough, and moves what they hold. */
  #makeRoom(sequences: number, length: number): void {
    if (this.#sequences === sequences && length <= this.#capacity) return;
    const kept = this.#length;
    const previous = this.#caches;
    this.#plans.clear();
    this.#capacity = Math.min(
      Math.max(length, this.#model.contextLength),
      Math.max(length, 2 * (this.#sequences === sequences ? this.#capacity : 0), firstCapacity),
    );
    this.#sequences = sequences;
    const device = this.#device;
    const encoder = device.gpu.createCommandEncoder();
    this.#caches = this.#model.layers.map(({ attention: { keyValueHeads, headSize } }, index) => {
      const bytes = 4 * sequences * keyValueHeads * headSize;
      const made = {
        keys: device.allocate(this.#capacity * bytes),
        values: device.allocate(this.#capacity * bytes),
      };
      const before = previous[index];
      if (kept > 0 && before !== undefined) {
        encoder.copyBufferToBuffer(before.keys, 0, made.keys, 0, kept * bytes);
        encoder.copyBufferToBuffer(before.values, 0, made.values, 0, kept * bytes);
      }
      return made;
    });
    device.submit(encoder);
    for (const { keys, values } of previous) [keys, values].forEach((buffer) => buffer.destroy());
    this.#freeWork();
  }

  /** Reads tokens, equally many of each sequence. */
  #read(tokens: Int32Array, pass: Pass, draws: Uint32Array | undefined): void {
    const { batch, length } = pass;
    const device = this.#device;
    const work = this.#workFor(pass);
    const key = `${length} ${pass.isFirst} ${pass.gives}`;
    const known = this.#plans.get(key);
    const plan = known ?? this.#plan(pass, work);
    this.#plans.set(key, plan);
    if (this.#embedding === undefined) {
      const embedded = embedTokens(this.#model, this.#weights, tokens, length, this.#length);
      device.write(work.workspace.states, embedded);
    } else {
      device.write(work.ids, new Uint32Array(tokens));
      if (this.#model.positionEmbedding !== undefined) {
        const rows = new Float32Array(tokens.length * this.#model.hiddenSize);
        addPositions(this.#model, this.#weights, rows, length, this.#length);
        device.write(work.workspace.states, rows);
      }
    }
    device.write(this.#past, Uint32Array.of(this.#length));
    for (const { rotary, table } of this.#rotations.values()) {
      device.write(table, rotationTable(rotary, length, this.#length));
    }
    if (pass.gives !== "nothing") {
      const last = Uint32Array.from({ length: batch }, (_, i) => (i + 1) * length - 1);
      device.write(work.picked, last);
      if (draws !== undefined) device.write(work.draws, draws);
    }
    for (const steps of plan) runSteps(device, steps);
    this.#length += length;
  }

  /** Buffers for a pass. */
  #workFor({ batch, length, isFirst }: Pass): PassBuffers {
    const tokens = batch * length;
    const known = this.#work;
    if (
      known !== undefined && tokens <= known.workspace.tokens &&
      (!isFirst || length <= known.length)
    ) {
      return known;
    }
    this.#freeWork();
    return this.#work = makePassBuffers(this.#device, this.#model, {
      tokens,
      batch,
      length: isFirst ? length : 0,
      capacity: this.#capacity,
      logitStride: this.#logitStride,
    });
  }

  /** The steps of a pass: all in one command buffer, or a layer in one where that takes long. */
  #plan(pass: Pass, work: PassBuffers): Step[][] {
    const device = this.#device;
    const { workspace, scores } = work;
    const run = {
      device,
      workspace,
      sequences: { batch: pass.batch, length: pass.length },
      tables: (rotary: RotaryDescription) => this.#rotationOf(rotary),
    };
    const plan = this.#model.layers.map((layer, index) => {
      const cached: CachedAttention = {
        cache: this.#caches[index]!,
        past: this.#past,
        scores,
        capacity: this.#capacity,
      };
      return layerSteps(
        {
          ...run,
          attend: (run, attention) => [
            appendStep(run, attention, cached),
            ...(pass.isFirst && pass.length > 1
              ? attentionSteps(run, attention)
              : [cachedAttentionStep(run, attention, cached)]),
          ],
        },
        layer,
        this.#buffers.layers[index]!,
      );
    });
    plan.unshift(this.#embedSteps(pass.batch * pass.length, work));
    if (pass.gives !== "nothing") plan.push(this.#headSteps(pass.batch, work));
    if (pass.gives === "labels") {
      plan.push([drawLabelsStep(device, {
        logits: work.logits,
        rows: pass.batch,
        vocabularySize: this.#model.vocabularySize,
        stride: this.#logitStride,
        firstRow: 0,
        draws: work.draws,
        labels: work.labels,
        energies: work.energies,
      })]);
    }
    return pass.batch * pass.length <= tokensAtOnce ? [plan.flat()] : plan;
  }

  /** What looks up the rows of tokens. */
  #embedSteps(tokens: number, { ids, workspace: { states } }: PassBuffers): Step[] {
    const { hiddenSize, embeddingScale = 1, positionEmbedding } = this.#model;
    if (this.#embedding === undefined) return [];
    return [
      ...(positionEmbedding === undefined
        ? [{ target: states, bytes: 4 * tokens * hiddenSize }]
        : []),
      embedStep(this.#device, {
        matrix: this.#embedding,
        tokens,
        ids,
        output: states,
        hiddenSize,
        scale: embeddingScale,
      }),
    ];
  }

  #headSteps(
    rows: number,
    { workspace, picked, hidden, logits }: PassBuffers,
  ): Step[] {
    const device = this.#device;
    const model = this.#model;
    const { hiddenSize } = model;
    const stride = this.#logitStride;
    const { head, finalNorm } = this.#buffers;
    return [
      normStep(device, {
        norm: model.finalNorm!,
        vectors: finalNorm,
        input: workspace.states,
        output: hidden,
        rows,
        picked,
      }),
      ...head.flatMap(({ start, end, matrix }) => {
        const linear = { inputs: hiddenSize, outputs: end - start, matrix };
        return linearSteps(device, { linear, rows, input: hidden, output: logits, stride, start });
      }),
      ...finishLogitsSteps(device, model, logits, rows * stride),
    ];
  }

  /** Where a rotation's table for the tokens of a pass is written. */
  #rotationOf(rotary: RotaryDescription): GPUBuffer {
    const key = JSON.stringify(rotary);
    const known = this.#rotations.get(key);
    if (known !== undefined) return known.table;
    const longest = Math.max(longestSquare, this.#longestPass(this.#sequences));
    const table = this.#device.allocate(4 * longest * rotary.dimensions);
    this.#rotations.set(key, { rotary, table });
    return table;
  }

  #freeCaches(): void {
    for (const { keys, values } of this.#caches) {
      keys.destroy();
      values.destroy();
    }
    this.#caches = [];
    this.#capacity = 0;
  }

  #freeWork(): void {
    if (this.#work !== undefined) {
      const { workspace, length: _, ...buffers } = this.#work;
      workspace.destroy();
      for (const buffer of Object.values(buffers)) buffer.destroy();
    }
    this.#work = undefined;
    this.#plans.clear();
  }
}
