import { InputError } from "../../data/input_error.ts";
import { quote } from "../../data/quote.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { expectedTensors } from "./expected_tensors.ts";

/** The tensors that a model still needs, while they come one after another. */
export class MissingTensors {
  readonly #shapes: Map<string, readonly number[]>;

  /** All tensors of a model are missing. */
  constructor(model: TransformerDescription) {
    this.#shapes = expectedTensors(model);
  }

  /** Their names. */
  get names(): ReadonlySet<string> {
    return new Set(this.#shapes.keys());
  }

  /** Whether a tensor is missing that has two axes. */
  isMatrix(name: string): boolean {
    return this.#shapes.get(name)?.length === 2;
  }

  /**
   * Notes that a tensor is there; false if none of this name was missing. Throws
   * {@linkcode InputError} where it has another shape.
   */
  take(name: string, shape: readonly number[]): boolean {
    const expected = this.#shapes.get(name);
    if (expected === undefined) return false;
    if (expected.join() !== shape.join()) {
      throw new InputError(
        `tensor ${quote(name)} has shape [${shape.join(", ")}], expected [${expected.join(", ")}]`,
      );
    }
    return this.#shapes.delete(name);
  }

  /** Throws {@linkcode InputError} if a tensor is missing. */
  checkNone(): void {
    const [missing] = this.#shapes.keys();
    if (missing !== undefined) throw new InputError(`tensor ${quote(missing)} is missing`);
  }
}
