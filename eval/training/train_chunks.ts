import * as tf from "@tensorflow/tfjs";
import { transpose } from "../../data/transpose.ts";
import type { LinearDescription, TransformerDescription } from "../architectures/description.ts";
import { readValues } from "../compute/backend.ts";
import { beginPass } from "../layers/forward_pass.ts";
import { applyNorm, normGradient } from "../layers/normalization.ts";
import type { LinearGains, Tap } from "../layers/tap.ts";
import { applyLayer, hiddenStates } from "../model/forward.ts";
import { headBlocks } from "../model/head_blocks.ts";
import { headLogits } from "../model/head_logits.ts";
import { layerLinears } from "../weights/expected_tensors.ts";
import { ParameterStore } from "../weights/parameter_store.ts";
import type { PreparedTensor, PreparedWeights } from "../weights/prepared_weights.ts";
import { divergenceGradient } from "./divergence_loss.ts";
import {
  addEmbeddingGradients,
  addEmbeddingWeightGradients,
  embedWithGains,
} from "./embedding_gains.ts";
import { linearGains } from "./linear_gains.ts";
import { addTo, requireTrainable, zeroGradients, zeroWeightGradients } from "./trainables.ts";
import type { Trainables } from "./trainer.ts";

/** What one pass of chunks is trained with. */
export interface TrainingJob {
  /** Chunks of one length, one after another. */
  readonly ids: Int32Array;
  /** Tokens of each. */
  readonly length: number;
  /** Gains and vectors of this step. */
  readonly at: Trainables;
  /** The original's finished states, `[tokens, hiddenSize]`, where they are known. */
  readonly reference?: Float32Array;
  /** Whether gradients are wanted. */
  readonly backward: boolean;
  /** Whether those by all matrices are, too. */
  readonly byMatrices: boolean;
}

/** Sums over the positions of a job. */
export interface TrainingSums {
  /** Σ KL(original ‖ trained) in nats. */
  readonly divergence: number;
  /** Its gradient, where it was wanted. */
  readonly gradients?: Trainables;
  /** Gradient by all matrices, where it was wanted. */
  readonly weights?: ReadonlyMap<string, Float32Array>;
  /** As that of the job. */
  readonly reference: Float32Array;
}

/** Logits that are held at once; the head is read once for each such block. */
const logitsBlockSize = 16 * 2 ** 20;

/** An original and a compressed model in tfjs, and their training step. */
export class ChunkTrainer {
  readonly #model: TransformerDescription;
  readonly #original: ParameterStore;
  readonly #weights: Map<string, PreparedTensor>;
  readonly #parameters: ParameterStore;

  /** Over weights that are not copied; `resident` says whether tensors outlive a layer. */
  constructor(
    model: TransformerDescription,
    original: PreparedWeights,
    compressed: PreparedWeights,
    resident: boolean,
  ) {
    this.#model = model;
    this.#original = new ParameterStore(original, resident);
    this.#weights = new Map(compressed);
    this.#parameters = new ParameterStore(this.#weights, resident);
  }

  /** Runs a job forward and, if wanted, back. */
  async run(job: TrainingJob): Promise<TrainingSums> {
    this.#takeVectors(job.at);
    const gains = this.#gainTensors(job.at);
    try {
      return await this.#run(job, (weight) => gains.get(weight));
    } finally {
      for (const { inputs, outputs } of gains.values()) tf.dispose([inputs, outputs]);
    }
  }

  async #run(job: TrainingJob, gains: NonNullable<Tap["gains"]>): Promise<TrainingSums> {
    const { ids, length, at, backward } = job;
    const model = this.#model;
    const parameters = this.#parameters;
    const { embeddingNorm, hiddenSize } = model;
    const finalNorm = requireTrainable(model);
    const shape = { batch: ids.length / length, length };
    const reference = job.reference ?? await this.#originalStates(job);
    const rows = tf.tensor2d(embedWithGains(model, this.#weights, at, { ids, length }), [
      ids.length,
      hiddenSize,
    ]);
    const pass = beginPass(parameters, { ...shape, tap: { gains } });
    const states = [
      embeddingNorm === undefined ? rows : tf.tidy(() => applyNorm(pass, embeddingNorm, rows)),
    ];
    for (const layer of model.layers) {
      const before = states.at(-1)!;
      states.push(tf.tidy(() => applyLayer(pass, layer, before)));
      parameters.release();
    }
    const last = states.at(-1)!;
    const normed = tf.tidy(() => applyNorm(pass, finalNorm, last));
    const hidden = await readValues(normed);
    normed.dispose();
    pass.dispose();
    const weights = backward && job.byMatrices ? zeroWeightGradients(model) : undefined;
    const gradients = { ...zeroGradients(model), weights };
    const { divergence, hiddenGradient } = await this.#runHead(job, reference, hidden, gradients);
    if (!backward) {
      tf.dispose([...states, rows]);
      return { divergence, reference };
    }
    const kept = new KeptGradients(weights !== undefined);
    const tap: Tap = { gains, outputGradient() {}, ...kept.tap() };
    const back = beginPass(parameters, { ...shape, tap });
    let gradient = tf.tidy(() =>
      normGradient(back, finalNorm, last, tf.tensor2d(hiddenGradient, last.shape))
    );
    await kept.addTo(gradients, model.layers.flatMap(layerLinears));
    for (const [index, layer] of [...model.layers.entries()].toReversed()) {
      const above = gradient;
      const differentiate = tf.grad((x) => applyLayer(back, layer, x as tf.Tensor2D));
      gradient = tf.tidy(() => differentiate(states[index]!, above) as tf.Tensor2D);
      above.dispose();
      await kept.addTo(gradients, layerLinears(layer));
      parameters.release();
    }
    if (embeddingNorm !== undefined) {
      const above = gradient;
      gradient = tf.tidy(() => normGradient(back, embeddingNorm, rows, above));
      above.dispose();
      await kept.addTo(gradients, []);
    }
    const embedded = await readValues(gradient);
    addEmbeddingGradients(model, this.#weights, at, { ids, length }, embedded, gradients);
    if (weights !== undefined) {
      addEmbeddingWeightGradients(model, at, { ids, length }, embedded, weights);
    }
    back.dispose();
    tf.dispose([...states, rows, gradient]);
    return { divergence, gradients, reference, ...(weights !== undefined && { weights }) };
  }

  async #originalStates({ ids, length }: TrainingJob): Promise<Float32Array> {
    const states = hiddenStates(this.#model, this.#original, ids, ids.length / length);
    const values = await readValues(states);
    states.dispose();
    return values.slice();
  }

  /** Σ KL over rows of hidden states; adds the gradients by the head's gains, bias and matrix. */
  async #runHead(
    { at, backward }: TrainingJob,
    reference: Float32Array,
    hidden: Float32Array,
    gradients: GradientSums,
  ): Promise<{ readonly divergence: number; readonly hiddenGradient: Float32Array }> {
    const { head, hiddenSize, vocabularySize } = this.#model;
    const { inputs, outputs } = linearGains(head, at);
    const own = linearGains(head, gradients);
    const bias = head.bias === undefined ? undefined : at.vectors.get(head.bias)!;
    const biasGradient = head.bias === undefined ? undefined : gradients.vectors.get(head.bias)!;
    const hiddenGradient = new Float32Array(hidden.length);
    const step = hiddenSize * Math.max(1, Math.floor(logitsBlockSize / vocabularySize));
    let divergence = 0;
    for (let start = 0; start < hidden.length; start += step) {
      const end = Math.min(hidden.length, start + step);
      const original = { description: this.#model, parameters: this.#original };
      const targets = await headLogits(original, reference.subarray(start, end));
      const scaled = hidden.slice(start, end);
      for (let i = 0; i < scaled.length; i++) scaled[i]! *= inputs[i % hiddenSize]!;
      const products = await this.#headProduct(scaled);
      for (let from = 0; from < products.length; from += vocabularySize) {
        const product = products.subarray(from, from + vocabularySize);
        const gradient = product.map((value, i) => value * outputs[i]! + (bias?.[i] ?? 0));
        const target = targets.subarray(from, from + vocabularySize);
        divergence += divergenceGradient(target, gradient, this.#model);
        if (!backward) continue;
        for (let i = 0; i < vocabularySize; i++) {
          own.outputs[i]! += gradient[i]! * product[i]!;
          product[i] = gradient[i]! * outputs[i]!;
        }
        if (biasGradient !== undefined) addTo(biasGradient, gradient);
      }
      if (!backward) continue;
      const back = await this.#headGradient(products);
      const matrix = gradients.weights?.get(head.weight);
      if (matrix !== undefined) await this.#addHeadWeightGradient(products, scaled, matrix);
      for (let i = 0; i < back.length; i++) {
        const feature = i % hiddenSize;
        own.inputs[feature]! += back[i]! * hidden[start + i]!;
        hiddenGradient[start + i] = back[i]! * inputs[feature]!;
      }
    }
    return { divergence, hiddenGradient };
  }

  /** Rows times the head's matrix, without gains: `[rows, vocabularySize]`. */
  async #headProduct(rows: Float32Array): Promise<Float32Array> {
    const { head, hiddenSize } = this.#model;
    const count = rows.length / hiddenSize;
    const product = new Float32Array(count * head.outputs);
    const x = tf.tensor2d(rows, [count, hiddenSize]);
    for (const [start, end] of headBlocks(head)) {
      const part = tf.matMul(x, this.#parameters.columns(head.weight, start, end));
      const values = await readValues(part);
      for (let row = 0; row < count; row++) {
        const from = row * (end - start);
        product.set(values.subarray(from, from + end - start), row * head.outputs + start);
      }
      part.dispose();
      this.#parameters.release();
    }
    x.dispose();
    return product;
  }

  /** Gradient by the rows that {@linkcode ChunkTrainer.#headProduct} is given. */
  async #headGradient(gradient: Float32Array): Promise<Float32Array> {
    const { head, hiddenSize } = this.#model;
    const count = gradient.length / head.outputs;
    const sums = new Float32Array(count * hiddenSize);
    for (const [start, end] of headBlocks(head)) {
      const part = columnsOf(gradient, head.outputs, start, end);
      const product = tf.tidy(() =>
        tf.matMul(
          tf.tensor2d(part, [count, end - start]),
          this.#parameters.transposedColumns(head.weight, start, end),
        )
      );
      addTo(sums, await readValues(product));
      product.dispose();
      this.#parameters.release();
    }
    return sums;
  }

  /** Adds the gradient by the head's matrix, `[outputs, inputs]`, given that by the products' rows. */
  async #addHeadWeightGradient(
    gradient: Float32Array,
    rows: Float32Array,
    sums: Float32Array,
  ): Promise<void> {
    const { head, hiddenSize } = this.#model;
    const count = rows.length / hiddenSize;
    const x = tf.tensor2d(rows, [count, hiddenSize]);
    for (const [start, end] of headBlocks(head)) {
      const part = columnsOf(gradient, head.outputs, start, end);
      const product = tf.tidy(() => tf.matMul(tf.tensor2d(part, [count, end - start]), x, true));
      addTo(sums.subarray(start * hiddenSize, end * hiddenSize), await readValues(product));
      product.dispose();
    }
    x.dispose();
  }

  #takeVectors({ vectors }: Trainables): void {
    for (const [name, data] of vectors) {
      this.#weights.set(name, { ...this.#weights.get(name)!, data });
      this.#parameters.forget(name);
    }
  }

  #gainTensors(at: Trainables): Map<string, LinearGains> {
    return new Map(
      this.#model.layers.flatMap(layerLinears).map((linear) => {
        const { inputs, outputs } = linearGains(linear, at);
        return [linear.weight, { inputs: tf.tensor1d(inputs), outputs: tf.tensor1d(outputs) }];
      }),
    );
  }
}

/** What gradients are added to. */
interface GradientSums extends Trainables {
  /** Those by matrices, where they are wanted. */
  readonly weights: ReadonlyMap<string, Float32Array> | undefined;
}

/** Some columns of rows of `width`. */
function columnsOf(values: Float32Array, width: number, start: number, end: number): Float32Array {
  const count = values.length / width;
  const part = new Float32Array(count * (end - start));
  for (let row = 0; row < count; row++) {
    part.set(values.subarray(row * width + start, row * width + end), row * (end - start));
  }
  return part;
}

/** Gradients that a backward pass told of, until they are added up. */
class KeptGradients {
  readonly #byMatrices: boolean;
  readonly #matrices: { readonly weight: string; readonly gradient: tf.Tensor2D }[] = [];
  readonly #gains: { readonly weight: string; readonly gradients: LinearGains }[] = [];
  readonly #vectors: { readonly name: string; readonly gradient: tf.Tensor1D }[] = [];

  /** Listens for gradients by matrices only if told so: they take time and memory. */
  constructor(byMatrices: boolean) {
    this.#byMatrices = byMatrices;
  }

  tap(): Pick<Tap, "gainGradients" | "vectorGradient" | "weightGradient"> {
    return {
      ...(this.#byMatrices && {
        weightGradient: (weight, gradient) => {
          this.#matrices.push({ weight, gradient: tf.keep(gradient) });
        },
      }),
      gainGradients: (weight, { inputs, outputs }) => {
        const gradients = { inputs: tf.keep(inputs), outputs: tf.keep(outputs) };
        this.#gains.push({ weight, gradients });
      },
      vectorGradient: (name, gradient) => {
        this.#vectors.push({ name, gradient: tf.keep(gradient) });
      },
    };
  }

  /** Adds them, those of gains and matrices of these layers, to sums, and frees them. */
  async addTo(sums: GradientSums, linears: readonly LinearDescription[]): Promise<void> {
    for (const { weight, gradient } of this.#matrices.splice(0)) {
      const { inputs, outputs, layout } = linears.find((linear) => linear.weight === weight)!;
      const values = await readValues(gradient);
      addTo(
        sums.weights!.get(weight)!,
        layout === "outputsByInputs" ? transpose(values, inputs, outputs) : values,
      );
      gradient.dispose();
    }
    for (const { weight, gradients } of this.#gains.splice(0)) {
      const linear = linears.find((linear) => linear.weight === weight)!;
      const { inputs, outputs } = linearGains(linear, sums);
      addTo(inputs, await readValues(gradients.inputs));
      addTo(outputs, await readValues(gradients.outputs));
      tf.dispose([gradients.inputs, gradients.outputs]);
    }
    for (const { name, gradient } of this.#vectors.splice(0)) {
      addTo(sums.vectors.get(name)!, await readValues(gradient));
      gradient.dispose();
    }
  }
}
