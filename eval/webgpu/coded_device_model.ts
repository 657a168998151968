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
import { DeviceModel } from "./device_model.ts";
import { openDevice } from "./open_device.ts";
import { whyUnsupported } from "./supported.ts";

/**
 * A model whose tensors come one after another, as whole numbers where they are coded so, and stay so on
 * the device that it writes with: about a byte a weight.
 */
export class CodedDeviceModel {
  readonly #model: TransformerDescription;
  readonly #open: typeof openDevice;
  readonly #missing: MissingTensors;
  readonly #swapped: ReadonlySet<string>;
  readonly #outputsFirst: ReadonlySet<string>;
  /** What has come, until the device has it. */
  #weights = new Map<string, PreparedTensor>();
  #onDevice: Promise<DeviceModel | undefined> | undefined;

  private constructor(model: TransformerDescription, open: typeof openDevice) {
    this.#model = model;
    this.#open = open;
    this.#missing = new MissingTensors(model);
    this.#swapped = swappedMatrices(model);
    this.#outputsFirst = outputsFirstMatrices(model);
  }

  /** A model without weights yet; undefined where the programs do not know its architecture. */
  static create(
    model: TransformerDescription,
    open: typeof openDevice = openDevice,
  ): CodedDeviceModel | undefined {
    return whyUnsupported(model, { largestBinding: Infinity }, 1) === undefined
      ? new CodedDeviceModel(model, open)
      : undefined;
  }

  /** Names of the tensors that it does not have yet. */
  get missing(): ReadonlySet<string> {
    return this.#missing.names;
  }

  /** What has come and is not on a device yet. */
  get weights(): ReadonlyMap<string, PreparedTensor> {
    return this.#weights;
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
   * Sends the weights to the device, once; undefined where that cannot hold one of the matrices. Throws
   * {@linkcode InputError} if a tensor is missing, there is no device, or it has too little memory.
   */
  async send(): Promise<DeviceModel | undefined> {
    this.#missing.checkNone();
    this.#onDevice ??= DeviceModel.open(this.#model, this.#weights, this.#open);
    const model = await this.#onDevice;
    if (model !== undefined) this.#weights = new Map();
    return model;
  }

  /** Begins to read sequences; as {@linkcode CodedDeviceModel.send} throws. */
  async startRunner(): Promise<TokenRunner> {
    return (await this.send())!.startRunner();
  }

  /** Frees what is on the device. */
  dispose(): void {
    this.#onDevice?.then((model) => model?.dispose(), () => {});
    this.#onDevice = undefined;
  }
}
