import type { WeightTensor } from "../../data/tensor.ts";
import type { CodedMatrix } from "../../hierarchy/matrix/coded_matrix.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import type { TokenRunner } from "../model/token_runner.ts";
import { packBytes } from "../weights/byte_matrix.ts";
import { swappedMatrices } from "../weights/expected_tensors.ts";
import { MissingTensors } from "../weights/missing_tensors.ts";
import {
  codedTensor,
  outputsFirstMatrices,
  type PreparedTensor,
  prepareTensor,
} from "../weights/prepared_weights.ts";
import type { Device } from "./device.ts";
import { DeviceModel } from "./device_model.ts";
import { openDevice } from "./open_device.ts";
import { whyUnsupported } from "./supported.ts";

/**
 * A model whose tensors come one after another, as whole numbers where they are coded so, and stay so on
 * the device that it writes with: about a byte a weight.
 */
export class CodedDeviceModel {
  readonly #model: TransformerDescription;
  readonly #device: Device;
  readonly #missing: MissingTensors;
  readonly #swapped: ReadonlySet<string>;
  readonly #outputsFirst: ReadonlySet<string>;
  /** What has come, until the device has it. */
  readonly #weights = new Map<string, PreparedTensor>();
  #sent: DeviceModel | undefined;

  private constructor(model: TransformerDescription, device: Device) {
    this.#model = model;
    this.#device = device;
    this.#missing = new MissingTensors(model);
    this.#swapped = swappedMatrices(model);
    this.#outputsFirst = outputsFirstMatrices(model);
  }

  /**
   * A model without weights yet; undefined where the programs do not know its architecture, or the
   * device cannot hold one of its matrices. Throws {@linkcode InputError} where there is no device.
   */
  static async create(
    model: TransformerDescription,
    open: typeof openDevice = openDevice,
  ): Promise<CodedDeviceModel | undefined> {
    const device = await open();
    if (whyUnsupported(model, device, 1) === undefined) return new CodedDeviceModel(model, device);
    device.close();
    return undefined;
  }

  /** Names of the tensors that it does not have yet. */
  get missing(): ReadonlySet<string> {
    return this.#missing.names;
  }

  /** What has come, until {@linkcode CodedDeviceModel.release}. */
  get weights(): ReadonlyMap<string, PreparedTensor> {
    return this.#weights;
  }

  /** As those of {@linkcode DeviceModel}, 0 until the weights are on the device. */
  get bytes(): number {
    return this.#sent?.bytes ?? 0;
  }

  /** Keeps a tensor, if the model has one of this name; throws {@linkcode InputError} if it is not finite. */
  put(name: string, tensor: WeightTensor): void {
    if (!this.#missing.take(name, tensor.shape)) return;
    this.#weights.set(name, prepareTensor(name, tensor, this.#outputsFirst.has(name), false));
  }

  /** Keeps a matrix as it is coded; false if it is smaller as floats and must be put so. */
  putCoded(name: string, coded: CodedMatrix): boolean {
    if (!this.#missing.isMatrix(name)) return false;
    const swapped = this.#swapped.has(name);
    const matrix = packBytes(coded, swapped);
    if (matrix === undefined) return false;
    this.#missing.take(name, [coded.integers.rows, coded.integers.columns]);
    this.#weights.set(name, codedTensor({ matrix, swapped }, this.#outputsFirst.has(name)));
    return true;
  }

  /**
   * Sends the weights to the device, once. Throws {@linkcode InputError} if a tensor is missing, or the
   * device has too little memory.
   */
  async send(): Promise<DeviceModel> {
    this.#missing.checkNone();
    this.#sent ??= await DeviceModel.send(this.#device, this.#model, this.#weights);
    return this.#sent;
  }

  /** Lets go of what the device has. */
  release(): void {
    this.#weights.clear();
  }

  /** Begins to read sequences; as {@linkcode CodedDeviceModel.send} throws. */
  async startRunner(): Promise<TokenRunner> {
    return (await this.send()).startRunner();
  }

  /** Frees what is on the device, which is closed. */
  dispose(): void {
    this.#sent = undefined;
    this.#weights.clear();
    this.#device.close();
  }
}
