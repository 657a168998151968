import { greatest } from "../../data/extremes.ts";
import { triangleSize } from "../../hierarchy/matrix/triangle.ts";
import type { LinearDescription } from "../architectures/description.ts";
import type { Device } from "../webgpu/device.ts";
import { energyStep, energySumsStep, weighRowsStep } from "../webgpu/energies.ts";
import type { GradientWorkspace } from "../webgpu/gradient_workspace.ts";
import { type Columns, momentScratch, momentSteps } from "../webgpu/moments.ts";
import type { Step } from "../webgpu/program.ts";
import { COUNT_POWER, rowPowers } from "../layers/token_counts.ts";
import { addEnergies, type SharedMoments } from "./calibrate_chunks.ts";
import { addStripe, type MomentTriangle } from "./second_moment.ts";

/** What goes into linear layers, `[rows, inputs]`, and the gradient by what they give. */
export interface SeenInputs {
  /** Layers that share the inputs. */
  readonly linears: readonly LinearDescription[];
  readonly input: GPUBuffer;
  readonly rows: number;
}

/** Second moments and energies that add up on a device. */
export class DeviceMoments {
  readonly #device: Device;
  readonly #moments: SharedMoments;
  readonly #groupSums: readonly GPUBuffer[];
  readonly #blockSums: readonly GPUBuffer[];
  /** Σ e and Σ e^p of each group and of the embedding. */
  readonly #energySums: GPUBuffer;
  readonly #scratch: GPUBuffer;
  readonly #room: Pick<GradientWorkspace, "energies" | "weighed"> | undefined;

  /**
   * Sums of 0 for all that `moments` holds, of at most `tokens` rows at once; `room` is needed where
   * there are gradients.
   */
  constructor(
    device: Device,
    moments: SharedMoments,
    tokens: number,
    room?: Pick<GradientWorkspace, "energies" | "weighed">,
  ) {
    this.#device = device;
    this.#moments = moments;
    this.#room = room;
    const { groups, blocks } = moments;
    const square = ({ size }: { readonly size: number }) => device.allocate(4 * size * size);
    this.#groupSums = groups.map(square);
    this.#blockSums = blocks.map(square);
    this.#energySums = device.allocate(8 * (groups.length + 1));
    const sizes = [...groups, ...blocks].map(({ size }) => size);
    this.#scratch = device.allocate(
      4 * greatest(sizes.map((size) => momentScratch(size, tokens))),
    );
  }

  /** Adds inputs, all rows alike. */
  addInputs({ linears, input, rows }: SeenInputs): Step[] {
    const sum = this.#groupSums[this.#groupOf(linears)]!;
    return momentSteps(this.#device, wholeOf(input, rows, linears[0]!.inputs), sum, this.#scratch);
  }

  /** Adds inputs, each row by its energy, which is known. */
  addWeighed({ linears, input, rows }: SeenInputs): Step[] {
    const group = this.#groupOf(linears);
    const weighed = this.#weigh(wholeOf(input, rows, linears[0]!.inputs), rowPowers.inputs);
    return [
      this.#sumEnergies(group, rows),
      weighed.step,
      ...momentSteps(this.#device, weighed.columns, this.#groupSums[group]!, this.#scratch),
    ];
  }

  /** Finds the energies of the gradient by what layers give, which stand beside each other; adds both. */
  addBoth(seen: SeenInputs, gradient: GPUBuffer): Step[] {
    const { linears, rows } = seen;
    const stride = linears.reduce((sum, { outputs }) => sum + outputs, 0);
    let before = 0;
    const outputs = linears.flatMap(({ weight, outputs }) => {
      const first = before;
      before += outputs;
      return this.#moments.blocks.flatMap(({ weight: ofBlock, start, size }, block) =>
        ofBlock === weight
          ? this.#addBlock({ buffer: gradient, rows, stride, start: first + start, size }, block)
          : []
      );
    });
    return [
      energyStep(this.#device, { buffer: gradient, rows, size: stride }, this.#room!.energies),
      ...this.addWeighed(seen),
      ...outputs,
    ];
  }

  /** Adds the gradients by the embedded tokens, `[rows, hiddenSize]`. */
  addEmbedding(gradient: GPUBuffer, rows: number): Step[] {
    const { groups, blocks } = this.#moments;
    const columns = wholeOf(gradient, rows, blocks.at(-1)!.size);
    return [
      energyStep(this.#device, columns, this.#room!.energies),
      this.#sumEnergies(groups.length, rows),
      ...this.#addBlock(columns, blocks.length - 1),
    ];
  }

  /** Reads the moments that are watched: of the head's inputs, and of the embedding's gradients. */
  async watched(hiddenSize: number): Promise<MomentTriangle[]> {
    const sums = [this.#groupSums.at(-1)!, ...this.#blockSums.slice(-1)];
    const triangles = sums.map(() => new Float32Array(triangleSize(hiddenSize)));
    for (const [at, sum] of sums.entries()) await this.#read(sum, hiddenSize, triangles[at]!);
    return triangles;
  }

  /** Reads all back, and adds it to what is in memory; `tokens` have gone through the model. */
  async collect(tokens: number): Promise<void> {
    const moments = this.#moments;
    const { groups, triangles, blocks, blockTriangles } = moments;
    for (const [index, { size }] of groups.entries()) {
      await this.#read(this.#groupSums[index]!, size, triangles[index]!);
    }
    for (const [index, { size }] of blocks.entries()) {
      await this.#read(this.#blockSums[index]!, size, blockTriangles[index]!);
    }
    if (blocks.length === 0) {
      const sums = { energy: tokens, count: tokens };
      groups.forEach((_, group) => addEnergies(moments, group, sums));
      return;
    }
    const bytes = await this.#device.read(this.#energySums, 8 * (groups.length + 1));
    const sums = new Float32Array(bytes);
    for (let pair = 0; pair <= groups.length; pair++) {
      const [energy, count] = sums.subarray(2 * pair);
      addEnergies(moments, pair, { energy: energy!, count: count! });
    }
  }

  #groupOf([first]: readonly LinearDescription[]): number {
    return this.#moments.groups.findIndex(({ linears }) => linears[0]!.weight === first!.weight);
  }

  #sumEnergies(pair: number, rows: number): Step {
    const { energies } = this.#room!;
    return energySumsStep(this.#device, {
      energies,
      rows,
      sums: this.#energySums,
      pair,
      power: COUNT_POWER,
    });
  }

  #weigh(columns: Columns, power: number): { step: Step; columns: Columns } {
    const { energies, weighed: buffer } = this.#room!;
    return {
      step: weighRowsStep(this.#device, columns, energies, buffer, power),
      columns: { ...columns, buffer, stride: columns.size, start: 0 },
    };
  }

  /** Adds columns of gradients to the moment of a block, each row by its energy. */
  #addBlock(gradient: Columns, block: number): Step[] {
    const { step, columns } = this.#weigh(gradient, rowPowers.gradients);
    return [step, ...momentSteps(this.#device, columns, this.#blockSums[block]!, this.#scratch)];
  }

  /** Adds a moment on the device to one in memory. */
  async #read(buffer: GPUBuffer, size: number, triangle: MomentTriangle): Promise<void> {
    const values = new Float32Array(await this.#device.read(buffer, 4 * size * size));
    addStripe(triangle, size, { start: 0, width: size, values });
  }
}

/** All columns of a matrix. */
function wholeOf(buffer: GPUBuffer, rows: number, size: number): Columns {
  return { buffer, rows, stride: size, start: 0, size };
}
