import { InputError } from "../../data/input_error.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { embeddingOnDevice } from "./embed_step.ts";
import { heldBytes, type PreparedWeights } from "../weights/prepared_weights.ts";
import type { Device } from "./device.ts";
import { DeviceRunner } from "./device_runner.ts";
import { type ModelBuffers, sendWeights } from "./model_weights.ts";
import { openDevice } from "./open_device.ts";
import { whyUnsupported } from "./supported.ts";

/** A model whose weights are on a device, where it continues texts. */
export class DeviceModel {
  readonly #device: Device;
  readonly #model: TransformerDescription;
  readonly #embeddings: PreparedWeights;
  readonly #buffers: ModelBuffers;

  private constructor(
    device: Device,
    model: TransformerDescription,
    weights: PreparedWeights,
    buffers: ModelBuffers,
  ) {
    this.#device = device;
    this.#model = model;
    // Rows of them are looked up here; the others may be let go of.
    this.#embeddings = new Map(
      [
        embeddingOnDevice(model, buffers) === undefined ? model.tokenEmbedding : undefined,
        model.positionEmbedding,
      ].filter((name) => name !== undefined).map((name) => [name, weights.get(name)!]),
    );
    this.#buffers = buffers;
  }

  /**
   * Sends a model's weights; undefined if the programs cannot run it. Throws {@linkcode InputError}
   * where there is no device, or it has too little memory.
   */
  static async open(
    model: TransformerDescription,
    weights: PreparedWeights,
    open: () => Promise<Device> = openDevice,
  ): Promise<DeviceModel | undefined> {
    const device = await open();
    if (whyUnsupported(model, device, 1) === undefined) {
      return await DeviceModel.send(device, model, weights);
    }
    device.close();
    return undefined;
  }

  /**
   * Sends the weights of a model that the programs can run to a device, which is the model's from then
   * on. Throws {@linkcode InputError} where it has too little memory.
   */
  static async send(
    device: Device,
    model: TransformerDescription,
    weights: PreparedWeights,
  ): Promise<DeviceModel> {
    try {
      device.gpu.pushErrorScope("out-of-memory");
      const buffers = sendWeights(device, model, weights);
      if (await device.gpu.popErrorScope() !== null) {
        throw new InputError(
          "the graphics card has too little memory for the model; choose the backend wasm",
        );
      }
      return new DeviceModel(device, model, weights, buffers);
    } catch (error) {
      device.close();
      throw error;
    }
  }

  /** Bytes of the weights on the device, and of those whose rows are looked up here. */
  get bytes(): number {
    return this.#buffers.buffers.reduce((sum, { size }) => sum + size, 0) +
      [...this.#embeddings.values()].reduce((sum, tensor) => sum + heldBytes(tensor), 0);
  }

  /** Begins to read sequences. */
  startRunner(): DeviceRunner {
    return new DeviceRunner(this.#device, this.#model, this.#embeddings, this.#buffers);
  }

  /** Frees the weights, and all that runners hold. */
  dispose(): void {
    this.#device.close();
  }
}
