import type { TransformerDescription } from "../architectures/description.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import { backwardSteps } from "./backward_steps.ts";
import type { Device } from "./device.ts";
import { divergenceStep } from "./divergence.ts";
import { finishLogitsSteps } from "./elementwise.ts";
import { type GradientWorkspace, makeGradientWorkspace } from "./gradient_workspace.ts";
import type { RotationTables, Sequences } from "./layer_run.ts";
import { layerSteps, type LinearGroup } from "./layer_steps.ts";
import { turned } from "./linear_steps.ts";
import type { HeadPart, LayerBuffers, ModelBuffers } from "./model_weights.ts";
import { normGradientStep } from "./norm_gradient.ts";
import { type NormBuffers, normStep } from "./normalization.ts";
import { productStep } from "./product.ts";
import type { Step } from "./program.ts";
import { rotationTables } from "./rotation.ts";
import { TrainedModel } from "./trained_model.ts";
import { makeWorkspace, type Workspace } from "./workspace.ts";

/** Most bytes of a block of logits of one model. */
const logitBytes = 2 ** 29;

/** What a plan does beside finding the divergences. */
export interface PlanOptions {
  /** Whether gradients are found. */
  readonly differentiates: boolean;
  /** Where gradients by the matrices go, by layer and group, and of the head's parts. */
  readonly kept?: KeptGradients;
}

/** Room for the gradients by all matrices, as they lie on the device. */
export interface KeptGradients {
  readonly layers: readonly Readonly<Record<LinearGroup, GPUBuffer>>[];
  readonly head: readonly GPUBuffer[];
}

/** Everything on a device that training takes, for jobs of up to some size, and the steps of a job. */
export class TrainingRun {
  readonly trained: TrainedModel;
  /** The original's states before its head, `[tokens, hiddenSize]`. */
  readonly originalHidden: GPUBuffer;
  readonly workspace: Workspace;
  readonly gradients: GradientWorkspace;
  readonly #device: Device;
  readonly #model: TransformerDescription;
  readonly #original: ModelBuffers;
  readonly #tables: RotationTables;
  readonly #logits: readonly [original: GPUBuffer, trained: GPUBuffer];
  readonly #logitRows: number;

  /** Sends the compressed weights, and allocates room for `tokens` in sequences of `length`. */
  constructor(
    device: Device,
    model: TransformerDescription,
    original: ModelBuffers,
    compressed: PreparedWeights,
    tokens: number,
    length: number,
  ) {
    this.#device = device;
    this.#model = model;
    this.#original = original;
    this.#tables = rotationTables(device);
    this.trained = new TrainedModel(device, model, compressed, tokens);
    this.workspace = makeWorkspace(device, model, tokens, length);
    this.gradients = makeGradientWorkspace(device, model, this.workspace);
    this.originalHidden = device.allocate(4 * tokens * model.hiddenSize);
    const fitting = Math.floor(
      Math.min(logitBytes, device.largestBinding) / 4 / this.#logitStride,
    );
    this.#logitRows = Math.min(
      tokens,
      fitting > 128 ? fitting - fitting % 128 : Math.max(1, fitting),
    );
    const logits = () => device.allocate(4 * this.#logitRows * this.#logitStride);
    this.#logits = [logits(), logits()];
  }

  /** From the original's embedded tokens in the states to what goes into its head. */
  originalPlan(sequences: Sequences): Step[][] {
    const { layers, finalNorm } = this.#original;
    return this.#forward(sequences, layers, finalNorm, this.originalHidden, () => []);
  }

  /** From embeddings, looked up, to divergences, and to gradients where they are wanted. */
  trainedPlan(sequences: Sequences, { differentiates, kept }: PlanOptions): Step[][] {
    const { trained, workspace: { states, normed }, gradients } = this;
    const { layers, finalNorm } = trained;
    const rows = sequences.batch * sequences.length;
    const bytes = 4 * rows * this.#model.hiddenSize;
    const forward = this.#forward(
      sequences,
      layers,
      finalNorm,
      normed,
      (index) => differentiates ? [{ source: states, target: gradients.saved[index]!, bytes }] : [],
    );
    return [
      trained.embedSteps(states, gradients.weighed, rows),
      ...forward,
      ...this.#lossPlan(rows, differentiates, kept),
      ...(differentiates ? this.#backwardPlan(sequences, kept) : []),
    ];
  }

  /** Room for gradients by all matrices. */
  allocateKept(): KeptGradients {
    const room = ({ rows, columns }: { readonly rows: number; readonly columns: number }) =>
      this.#device.allocate(4 * rows * columns);
    const { layers, head } = this.trained.places;
    return {
      layers: layers.map(({ projection, output, up, down }) => ({
        projection: room(projection.matrix),
        output: room(output.matrix),
        up: room(up.matrix),
        down: room(down.matrix),
      })),
      head: head.map(room),
    };
  }

  /** Frees everything but the original's weights. */
  destroy(): void {
    this.trained.destroy();
    this.workspace.destroy();
    const { saved, ...others } = this.gradients;
    for (const buffer of [...saved, ...Object.values(others)]) buffer.destroy();
    for (const buffer of [this.originalHidden, ...this.#logits]) buffer.destroy();
  }

  get #logitStride(): number {
    return Math.ceil(this.#model.vocabularySize / 4) * 4;
  }

  #runOf(sequences: Sequences) {
    return { device: this.#device, workspace: this.workspace, sequences, tables: this.#tables };
  }

  #forward(
    sequences: Sequences,
    layers: readonly LayerBuffers[],
    finalNorm: NormBuffers,
    output: GPUBuffer,
    before: (index: number) => Step[],
  ): Step[][] {
    const model = this.#model;
    const run = this.#runOf(sequences);
    return [
      ...model.layers.map((layer, index) => [
        ...before(index),
        ...layerSteps(run, layer, layers[index]!),
      ]),
      [normStep(this.#device, {
        norm: model.finalNorm!,
        vectors: finalNorm,
        input: this.workspace.states,
        output,
        rows: sequences.batch * sequences.length,
      })],
    ];
  }

  /** Logits of both models, divergences, and gradients by the head and by what went into it. */
  #lossPlan(rows: number, differentiates: boolean, kept: KeptGradients | undefined): Step[][] {
    const [device, model, stride] = [this.#device, this.#model, this.#logitStride];
    const { hiddenSize, vocabularySize, logitScale, logitSoftCap } = model;
    const { trained, workspace: { normed }, gradients: { attentionNormGradient } } = this;
    const [original, logits] = this.#logits;
    const blocks: Step[][] = [];
    for (let firstRow = 0; firstRow < rows; firstRow += this.#logitRows) {
      const count = Math.min(this.#logitRows, rows - firstRow);
      const place = { start: firstRow * hiddenSize, stride: hiddenSize };
      const products = (head: readonly HeadPart[], hidden: GPUBuffer, result: GPUBuffer) => [
        ...head.map(({ start, end, matrix }) =>
          productStep(device, {
            rows: count,
            columns: end - start,
            inner: hiddenSize,
            left: { buffer: hidden, ...place, layout: "alongInner" },
            right: matrix,
            result: { buffer: result, start, stride },
          })
        ),
        ...finishLogitsSteps(device, model, result, count * stride),
      ];
      const last = firstRow + count === rows;
      const given = { input: normed, outputGradient: logits, rows: count, stride, firstRow };
      const back = trained.head.flatMap(({ start, end, matrix }, part) => [
        productStep(device, {
          rows: count,
          columns: hiddenSize,
          inner: end - start,
          left: { buffer: logits, start, stride, layout: "alongInner" },
          right: turned(matrix),
          result: { buffer: attentionNormGradient, ...place },
          adds: part > 0,
        }),
        ...trained.headSteps(part, given, last, kept?.head[part]),
      ]);
      blocks.push([
        ...products(this.#original.head, this.originalHidden, original),
        ...products(trained.head, normed, logits),
        divergenceStep(device, {
          original,
          logits,
          rows: count,
          vocabularySize,
          stride,
          scale: logitScale,
          cap: logitSoftCap,
          divergences: trained.gains.sums,
          firstPlace: trained.places.divergences + firstRow,
        }),
        ...(differentiates ? back : []),
      ]);
    }
    return blocks;
  }

  #backwardPlan(sequences: Sequences, kept: KeptGradients | undefined): Step[][] {
    const { trained, workspace: { states }, gradients } = this;
    const { gradient, attentionNormGradient, weighed: scratch } = gradients;
    const [device, model, run] = [this.#device, this.#model, this.#runOf(sequences)];
    const rows = sequences.batch * sequences.length;
    const norm = model.finalNorm!;
    const plan: Step[][] = [[
      ...trained.finalNormSteps(norm, {
        input: states,
        gradient: attentionNormGradient,
        rows,
        scratch,
      }),
      { target: gradient, bytes: 4 * rows * model.hiddenSize },
      normGradientStep(device, {
        norm,
        vectors: trained.finalNorm,
        input: states,
        gradient: attentionNormGradient,
        sum: gradient,
        rows,
      }),
    ]];
    for (const [index, layer] of [...model.layers.entries()].toReversed()) {
      plan.push(backwardSteps(
        run,
        gradients,
        layer,
        index,
        trained.layers[index]!,
        (group, input, outputGradient) =>
          trained.linearSteps(
            index,
            group,
            { input, outputGradient, rows },
            kept && kept.layers[index]![group],
          ),
        trained.visitNorms(index, rows, scratch),
      ));
    }
    plan.push([...trained.embedGradientSteps(gradient, scratch, rows), trained.finishStep]);
    return plan;
  }
}
