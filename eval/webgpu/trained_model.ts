import type { NormDescription, TransformerDescription } from "../architectures/description.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import type { Device } from "./device.ts";
import { addScaledStep } from "./elementwise.ts";
import {
  applyGainsStep,
  finishSumsStep,
  type GainBuffers,
  type GainedMatrix,
  gainGradientSteps,
  sumColumnsStep,
} from "./gains.ts";
import type { LinearGroup } from "./layer_steps.ts";
import {
  type HeadPart,
  type LayerBuffers,
  type LinearBuffers,
  type ModelBuffers,
  type NormName,
  sendWeights,
} from "./model_weights.ts";
import { type NormBuffers, normStep } from "./normalization.ts";
import { productStep } from "./product.ts";
import type { Binding, Step } from "./program.ts";
import {
  type LinearPlaces,
  type NormPlaces,
  placeTrained,
  type TrainedPlaces,
} from "./trained_places.ts";
import type { VisitNorms } from "./visit_norms.ts";

/** Slices of rows in which gradients are added up, where the device's bindings have room. */
const mostSlices = 16;

/** What a product's gradient is found from. */
export interface LinearGradient {
  /** What went into it, `[rows, inputs]`. */
  readonly input: GPUBuffer;
  /** The gradient by what it gave, `[rows, outputs]`. */
  readonly outputGradient: GPUBuffer;
  readonly rows: number;
}

/**
 * A model on a device whose matrices have gains: the matrices are sent once, and those with gains are
 * made there from gains that are sent for each step. Gives the steps that find gradients.
 */
export class TrainedModel {
  /** The layers and the head with gains. */
  readonly layers: readonly LayerBuffers[];
  readonly finalNorm: NormBuffers;
  readonly head: readonly HeadPart[];
  /** Where everything that is trained stands. */
  readonly places: TrainedPlaces;
  /** Rows of the embeddings as tokens look them up, `[tokens, hiddenSize]` each, without gains. */
  readonly lookups: readonly GainedMatrix[];
  /** The gains, and sums of their gradients. */
  readonly gains: GainBuffers;
  /** The gradients, added up. */
  readonly gradients: GPUBuffer;
  readonly #device: Device;
  readonly #base: ModelBuffers;
  readonly #made: GPUBuffer[] = [];
  readonly #applied: Step[] = [];
  readonly #matrixGradient: GPUBuffer;
  readonly #headGradients: readonly GPUBuffer[];
  readonly #ones: GPUBuffer;

  /** Sends the weights; `tokens` go through the model at once. */
  constructor(
    device: Device,
    model: TransformerDescription,
    weights: PreparedWeights,
    tokens: number,
  ) {
    this.#device = device;
    this.#base = sendWeights(device, model, weights);
    const places = placeTrained(model, this.#base.layers, this.#base.head, tokens);
    this.places = places;
    const { size } = places;
    const slices = Math.max(1, Math.min(mostSlices, Math.floor(device.largestBinding / 4 / size)));
    this.gains = {
      values: this.#allocate(4 * size),
      sums: this.#allocate(4 * size * slices),
      size,
      slices,
    };
    this.gradients = this.#allocate(4 * size);
    const { hiddenSize } = model;
    this.lookups = places.lookups.map((gains) => ({
      ...gains,
      rows: tokens,
      columns: hiddenSize,
      ends: [tokens],
      weights: this.#allocate(4 * tokens * hiddenSize),
      type: "f32",
    }));
    this.layers = this.#base.layers.map((layer, index) => this.#gainLayer(layer, index));
    this.finalNorm = this.#normBuffers(places.finalNorm);
    this.head = this.#base.head.map((part, index) => ({
      ...part,
      matrix: this.#gainMatrix(places.head[index]!, part.matrix),
    }));
    let largest = 0;
    for (const layer of places.layers) {
      for (const { matrix } of [layer.projection, layer.output, layer.up, layer.down]) {
        const { rows, columns } = matrix;
        largest = Math.max(largest, rows * columns * this.#mostTokenSlices(matrix, tokens));
      }
    }
    this.#matrixGradient = this.#allocate(4 * largest);
    this.#headGradients = places.head
      .map(({ rows, columns }) => this.#allocate(4 * rows * columns));
    this.#ones = this.#allocate(4 * hiddenSize);
    device.write(this.#ones, new Float32Array(hiddenSize).fill(1));
  }

  /** Whether a group's matrix lies on the device as it is stored, not as `[outputs, inputs]`. */
  isAsStored(layer: number, group: LinearGroup): boolean {
    return this.#base.layers[layer]![group].matrix.layout === "alongResult";
  }

  /** Makes the matrices with gains. */
  get applySteps(): readonly Step[] {
    return this.#applied;
  }

  /** Makes the states before the first layer from rows of embeddings; `other` is written over. */
  embedSteps(states: GPUBuffer, other: GPUBuffer, rows: number): Step[] {
    const { columns } = this.lookups[0]!;
    return this.lookups.flatMap((lookup, index) => {
      const matrix = { ...lookup, rows, ends: [rows] };
      return index === 0 ? [applyGainsStep(this.#device, this.gains, matrix, states)] : [
        applyGainsStep(this.#device, this.gains, matrix, other),
        addScaledStep(this.#device, other, states, rows * columns, 1),
      ];
    });
  }

  /** Gradients by what {@linkcode embedSteps} took; `other` is written over. */
  embedGradientSteps(gradient: GPUBuffer, other: GPUBuffer, rows: number): Step[] {
    return this.lookups.flatMap((lookup) => [
      { source: gradient, target: other, bytes: 4 * rows * lookup.columns },
      ...gainGradientSteps(this.#device, this.gains, { ...lookup, rows, ends: [rows] }, other, 1),
    ]);
  }

  /** Gradients by the gains and the bias of linear layers; by the matrix too, where `kept` is given. */
  linearSteps(layer: number, group: LinearGroup, given: LinearGradient, kept?: GPUBuffer): Step[] {
    const { matrix, bias } = this.places.layers[layer]![group];
    const { input, outputGradient, rows } = given;
    const { inputs, outputs } = this.#base.layers[layer]![group];
    const asStored = this.isAsStored(layer, group);
    const slices = kept === undefined ? this.#tokenSlices(matrix, rows) : 1;
    const operand = (buffer: GPUBuffer, stride: number) =>
      ({ buffer, stride, perMatrix: rows / slices * stride, layout: "alongResult" }) as const;
    const [x, g] = [operand(input, inputs), operand(outputGradient, outputs)];
    return [
      productStep(this.#device, {
        rows: matrix.rows,
        columns: matrix.columns,
        inner: rows / slices,
        left: asStored ? x : g,
        right: asStored ? g : x,
        result: {
          buffer: this.#matrixGradient,
          stride: matrix.columns,
          perMatrix: matrix.rows * matrix.columns,
        },
        matrices: slices,
      }),
      ...this.#gainSteps(matrix, this.#matrixGradient, slices, kept),
      ...(bias === undefined ? [] : [sumColumnsStep(this.#device, this.gains, {
        matrix: outputGradient,
        columns: outputs,
        ends: [rows],
        target: bias,
      })]),
    ];
  }

  /**
   * Adds what some rows give to the gradient by a part of the head; the last rows' steps find those by
   * its gains. The gradient by the logits has a stride, hidden states begin at `firstRow`.
   */
  headSteps(
    part: number,
    given: LinearGradient & { readonly stride: number; readonly firstRow: number },
    last: boolean,
    kept?: GPUBuffer,
  ): Step[] {
    const matrix = this.places.head[part]!;
    const { start } = this.head[part]!;
    const { rows, columns } = matrix;
    const { input, outputGradient, firstRow, stride } = given;
    const gradient = this.#headGradients[part]!;
    return [
      productStep(this.#device, {
        rows,
        columns,
        inner: given.rows,
        left: { buffer: outputGradient, stride, start, layout: "alongResult" },
        right: { buffer: input, stride: columns, start: firstRow * columns, layout: "alongResult" },
        result: { buffer: gradient, stride: columns },
        adds: firstRow > 0,
      }),
      ...(last ? this.#gainSteps(matrix, gradient, 1, kept) : []),
    ];
  }

  /** Gradients by the vectors of norms; `scratch` has room for a projection of all tokens. */
  visitNorms(layer: number, rows: number, scratch: GPUBuffer): VisitNorms {
    return {
      whole: (which, norm, input, gradient) =>
        this.#normSteps(this.#normPlaces(layer, which), norm, { input, gradient, rows, scratch }),
      products: scratch,
      parts: (which, rows, columns) => [sumColumnsStep(this.#device, this.gains, {
        matrix: scratch,
        columns,
        ends: [rows],
        target: this.#normPlaces(layer, which).weight,
      })],
    };
  }

  /** Gradients by the last norm's vectors. */
  finalNormSteps(
    norm: NormDescription,
    given: { input: GPUBuffer; gradient: GPUBuffer; rows: number; scratch: GPUBuffer },
  ): Step[] {
    return this.#normSteps(this.places.finalNorm, norm, given);
  }

  /** Adds up the gradients. */
  get finishStep(): Step {
    return finishSumsStep(this.#device, this.gains, this.gradients);
  }

  /** Frees everything. */
  destroy(): void {
    for (const buffer of [...this.#made, ...this.#base.buffers]) buffer.destroy();
  }

  #allocate(bytes: number): GPUBuffer {
    const buffer = this.#device.allocate(bytes);
    this.#made.push(buffer);
    return buffer;
  }

  #slice(place: number, length: number): Binding {
    return { buffer: this.gains.values, offset: 4 * place, size: 4 * length };
  }

  #normBuffers({ weight, bias, size }: NormPlaces): NormBuffers {
    return {
      weight: this.#slice(weight, size),
      ...(bias !== undefined && { bias: this.#slice(bias, size) }),
    };
  }

  #normPlaces(layer: number, which: NormName): NormPlaces {
    return this.places.layers[layer]![which]!;
  }

  #gainLayer(base: LayerBuffers, index: number): LayerBuffers {
    const places = this.places.layers[index]!;
    const norms = Object.keys(base).flatMap((name) => {
      const norm = isGroup(name) ? undefined : places[name as NormName];
      return norm === undefined ? [] : [[name, this.#normBuffers(norm)] as const];
    });
    const linear = (group: LinearGroup) => this.#gainLinear(places[group], base[group]);
    return {
      ...Object.fromEntries(norms) as Record<"attentionNorm" | "feedForwardNorm", NormBuffers>,
      projection: linear("projection"),
      output: linear("output"),
      up: linear("up"),
      down: linear("down"),
    };
  }

  #gainLinear({ matrix, bias }: LinearPlaces, base: LinearBuffers): LinearBuffers {
    const { inputs, outputs } = base;
    return {
      inputs,
      outputs,
      matrix: this.#gainMatrix(matrix, base.matrix),
      ...(bias !== undefined && { bias: this.#slice(bias, outputs) }),
    };
  }

  /** Room for a matrix with gains, which {@linkcode TrainedModel.applySteps} fill. */
  #gainMatrix(
    matrix: GainedMatrix,
    { stride, layout }: LinearBuffers["matrix"],
  ): LinearBuffers["matrix"] {
    const buffer = this.#allocate(4 * matrix.rows * matrix.columns);
    this.#applied.push(applyGainsStep(this.#device, this.gains, matrix, buffer));
    return { buffer, stride, layout, type: "f32" };
  }

  #gainSteps(
    matrix: GainedMatrix,
    gradient: GPUBuffer,
    slices: number,
    kept: GPUBuffer | undefined,
  ): Step[] {
    const bytes = 4 * matrix.rows * matrix.columns;
    return [
      ...(kept === undefined ? [] : [{ source: gradient, target: kept, bytes }]),
      ...gainGradientSteps(this.#device, this.gains, matrix, gradient, slices),
    ];
  }

  #normSteps(
    { weight, bias, size }: NormPlaces,
    norm: NormDescription,
    { input, gradient, rows, scratch }: {
      input: Binding;
      gradient: Binding;
      rows: number;
      scratch: GPUBuffer;
    },
  ): Step[] {
    const device = this.#device;
    const sums = { columns: size, ends: [rows] };
    return [
      normStep(device, { norm, vectors: { weight: this.#ones }, input, output: scratch, rows }),
      sumColumnsStep(device, this.gains, {
        ...sums,
        matrix: gradient,
        other: scratch,
        target: weight,
      }),
      ...(bias === undefined
        ? []
        : [sumColumnsStep(device, this.gains, { ...sums, matrix: gradient, target: bias })]),
    ];
  }

  /** Into how many slices of tokens a product that gives a matrix' gradient is divided. */
  #tokenSlices(matrix: GainedMatrix, tokens: number): number {
    let slices = this.#mostTokenSlices(matrix, tokens);
    while (tokens % slices !== 0) slices--;
    return slices;
  }

  #mostTokenSlices({ rows, columns }: GainedMatrix, tokens: number): number {
    const tiles = Math.ceil(rows / 128) * Math.ceil(columns / 128);
    const room = Math.floor(this.#device.largestBinding / 4 / rows / columns);
    return Math.max(1, Math.min(Math.ceil(busyTiles / tiles), Math.floor(tokens / 128), room));
  }
}

/** Tiles of 128 × 128 that keep a large card busy. */
const busyTiles = 264;

function isGroup(name: string): name is LinearGroup {
  return ["projection", "output", "up", "down"].includes(name);
}
