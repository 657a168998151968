import { greatest } from "../../data/extremes.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import type { ScoringJob } from "../scores/scoring_jobs.ts";
import { allocateScores, type TokenScores } from "../scores/token_scores.ts";
import type { Device } from "./device.ts";
import { embedTokens } from "../model/embed_tokens.ts";
import { finishLogitsSteps } from "./elementwise.ts";
import type { RotationTables, Sequences } from "./layer_run.ts";
import { layerSteps } from "./layer_steps.ts";
import { type ModelBuffers, sendWeights } from "./model_weights.ts";
import { normStep } from "./normalization.ts";
import { productStep } from "./product.ts";
import { runSteps, type Step } from "./program.ts";
import { rotationTables } from "./rotation.ts";
import { scoreStep, scoreWidth } from "./score.ts";
import { makeWorkspace, type Workspace } from "./workspace.ts";

/** A job and, where it is known, what {@linkcode JobScores.base} was in an earlier run. */
export interface BasedJob extends ScoringJob {
  /** The original's hidden states before its head, `[rows, hiddenSize]`. */
  readonly base?: Float32Array;
}

/** What scoring a job gives. */
export interface JobScores {
  /** The scores of the job's rows. */
  readonly scores: TokenScores;
  /** The original's hidden states before the head, where they were asked for. */
  readonly base?: Float32Array;
}

/** Most bytes of a block of logits of one model. */
const logitBytes = 2 ** 28;

/**
 * One or two models on a device, with everything that scoring needs, for jobs of up to some size. What
 * the device does for a shape of jobs is prepared once.
 */
export class JobScorer {
  readonly #device: Device;
  readonly #model: TransformerDescription;
  readonly #weights: readonly PreparedWeights[];
  readonly #buffers: readonly ModelBuffers[];
  readonly #workspace: Workspace;
  readonly #hidden: readonly GPUBuffer[];
  readonly #logits: readonly GPUBuffer[];
  readonly #logitRows: number;
  readonly #picked: GPUBuffer;
  readonly #labels: GPUBuffer;
  readonly #scores: GPUBuffer;
  readonly #tables: RotationTables;
  readonly #plans = new Map<string, readonly (readonly Step[])[]>();

  /** Sends the weights, and allocates room for jobs like these. */
  constructor(
    device: Device,
    model: TransformerDescription,
    weights: readonly PreparedWeights[],
    jobs: readonly ScoringJob[],
  ) {
    const most = (count: (job: ScoringJob) => number) => greatest(jobs.map(count));
    const length = most(({ tokens, batch }) => tokens.length / batch);
    const rows = most((job) => job.rows.length);
    this.#device = device;
    this.#model = model;
    this.#weights = weights;
    this.#buffers = weights.map((own) => sendWeights(device, model, own));
    this.#workspace = makeWorkspace(device, model, most(({ tokens }) => tokens.length), length);
    this.#hidden = weights.map(() => device.allocate(4 * rows * model.hiddenSize));
    const stride = this.#logitStride;
    const fitting = Math.floor(Math.min(logitBytes, device.largestBinding) / 4 / stride);
    this.#logitRows = Math.min(
      rows,
      fitting > 128 ? fitting - fitting % 128 : Math.max(1, fitting),
    );
    this.#logits = weights.map(() => device.allocate(4 * this.#logitRows * stride));
    this.#picked = device.allocate(4 * rows);
    this.#labels = device.allocate(4 * rows);
    this.#scores = device.allocate(4 * scoreWidth * rows);
    this.#tables = rotationTables(device);
  }

  /** Scores one job; with `keepsBase`, the original's hidden states come back too. */
  async score(job: BasedJob, keepsBase: boolean): Promise<JobScores> {
    const { tokens, batch, rows, labels, base } = job;
    const length = tokens.length / batch;
    const device = this.#device;
    device.write(this.#labels, Uint32Array.from(labels));
    device.write(this.#picked, Uint32Array.from(rows));
    for (const [index, weights] of this.#weights.entries()) {
      if (index === 0 && base !== undefined) {
        device.write(this.#hidden[0]!, base);
        continue;
      }
      device.write(this.#workspace.states, embedTokens(this.#model, weights, tokens, length));
      const steps = this.#plan(
        `${index} ${batch} ${length} ${rows.length}`,
        () => this.#forwardSteps(index, { batch, length }, rows.length),
      );
      for (const part of steps) runSteps(device, part);
    }
    const scoring = this.#plan(`${rows.length}`, () => this.#scoringSteps(rows.length));
    for (const part of scoring) runSteps(device, part);
    const read = await device.read(this.#scores, 4 * scoreWidth * rows.length);
    const scores = unpackScores(read, rows.length, this.#weights.length > 1);
    if (!keepsBase) return { scores };
    const bytes = 4 * rows.length * this.#model.hiddenSize;
    return { scores, base: new Float32Array(await device.read(this.#hidden[0]!, bytes)) };
  }

  get #logitStride(): number {
    return Math.ceil(this.#model.vocabularySize / 4) * 4;
  }

  #plan(key: string, make: () => Step[][]): readonly (readonly Step[])[] {
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#plans.set(key, made);
    return made;
  }

  /** One command buffer for each layer; the last ends with the rows that the head is applied to. */
  #forwardSteps(index: number, sequences: Sequences, rows: number): Step[][] {
    const [device, model, buffers] = [this.#device, this.#model, this.#buffers[index]!];
    const run = { device, workspace: this.#workspace, sequences, tables: this.#tables };
    const layers = model.layers.map((layer, at) => layerSteps(run, layer, buffers.layers[at]!));
    layers.push([normStep(device, {
      norm: model.finalNorm!,
      vectors: buffers.finalNorm,
      input: this.#workspace.states,
      output: this.#hidden[index]!,
      rows,
      picked: this.#picked,
    })]);
    return layers;
  }

  /** The head's products and the scores, as many rows at once as there is room for their logits. */
  #scoringSteps(rows: number): Step[][] {
    const { vocabularySize, hiddenSize } = this.#model;
    const device = this.#device;
    const blocks: Step[][] = [];
    for (let firstRow = 0; firstRow < rows; firstRow += this.#logitRows) {
      const count = Math.min(this.#logitRows, rows - firstRow);
      const products = this.#buffers.flatMap(({ head }, index) =>
        head.map(({ start, end, matrix }) =>
          productStep(device, {
            rows: count,
            columns: end - start,
            inner: hiddenSize,
            left: {
              buffer: this.#hidden[index]!,
              start: firstRow * hiddenSize,
              stride: hiddenSize,
              layout: "alongInner",
            },
            right: matrix,
            result: { buffer: this.#logits[index]!, start, stride: this.#logitStride },
          })
        )
      );
      blocks.push([
        ...products,
        ...this.#logits.flatMap((logits) =>
          finishLogitsSteps(device, this.#model, logits, count * this.#logitStride)
        ),
        scoreStep(device, {
          logits: this.#logits,
          rows: count,
          vocabularySize,
          stride: this.#logitStride,
          labels: this.#labels,
          scores: this.#scores,
          firstRow,
        }),
      ]);
    }
    return blocks;
  }
}

function unpackScores(read: ArrayBuffer, rows: number, two: boolean): TokenScores {
  const scores = allocateScores(rows, two);
  const [reals, wholes] = [new Float32Array(read), new Uint32Array(read)];
  for (let row = 0, at = 0; row < rows; row++, at += scoreWidth) {
    scores.original[row] = reals[at]!;
    scores.originalTop[row] = wholes[at + 1]!;
    if (!two) continue;
    scores.compressed![row] = reals[at + 2]!;
    scores.compressedTop![row] = wholes[at + 3]!;
    scores.klDivergence![row] = reals[at + 4]!;
  }
  return scores;
}
