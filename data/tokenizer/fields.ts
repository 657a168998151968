import { quoteValue } from "../quote.ts";
import { printableLine } from "../printable.ts";
import { InputError } from "../input_error.ts";
import { isJsonObject } from "../json_file.ts";

/** Parts are not nested deeper, so that reading them ends. */
const DEEPEST = 20;

/**
 * A JSON object of tokenizer.json whose fields are read one by one. Every problem is an
 * {@linkcode InputError} that names the file and where in it the field is.
 */
export class Fields {
  readonly #file: string;
  readonly #place: string;
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #depth: number;

  /** `value` should be an object; `place` says where it is, such as `model`. */
  constructor(file: string, place: string, value: unknown, depth = 0) {
    this.#file = file;
    this.#place = place;
    this.#depth = depth;
    if (depth > DEEPEST) throw this.error(`is nested more than ${DEEPEST} deep`);
    if (!isJsonObject(value)) throw this.error("should be an object");
    this.#object = value;
  }

  /** The file and where in it this object is, for messages. */
  get place(): string {
    return `${this.#file}: ${this.#place}`;
  }

  /** All fields. */
  all(): Readonly<Record<string, unknown>> {
    return this.#object;
  }

  /** What the component calls itself, such as `BPE`. */
  get type(): string {
    return this.text("type");
  }

  /** Throws unless every field that is set has one of these names, or is `type`. */
  allow(...names: string[]): void {
    for (const [name, value] of Object.entries(this.#object)) {
      if (name === "type" || value === null || value === false || names.includes(name)) continue;
      throw this.unsupported(name, `its meaning here is not known`);
    }
  }

  /** A field as it is. */
  value(name: string): unknown {
    return this.#object[name];
  }

  /** A text. */
  text(name: string): string;
  /** A text, or `absent` if there is none. */
  text<T>(name: string, absent: T): string | T;
  text(name: string, ...absent: unknown[]): unknown {
    const value = this.#object[name] ?? undefined;
    if (typeof value === "string") return value;
    if (value === undefined && absent.length > 0) return absent[0];
    throw this.error(`${name} should be a text`);
  }

  /** True or false; `absent` where it is neither given nor null. */
  flag(name: string, absent: boolean): boolean {
    const value = this.#object[name] ?? absent;
    if (typeof value === "boolean") return value;
    throw this.error(`${name} should be true or false`);
  }

  /** A whole number from 0; `absent` if there is none. */
  count(name: string, absent: number): number {
    const value = this.#object[name] ?? absent;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.error(`${name} should be a whole number`);
  }

  /** A list of anything. */
  list(name: string): readonly unknown[] {
    const value = this.#object[name];
    if (Array.isArray(value)) return value;
    throw this.error(`${name} should be a list`);
  }

  /** One of a few texts. */
  choice<const T extends string>(name: string, choices: readonly T[], absent?: T): T {
    const value = this.text(name, absent);
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw this.unsupported(name, `it is ${quoteValue(value)}`);
  }

  /** The objects of a list, as components of their own. */
  components(name: string): Fields[] {
    return this.list(name).map((item, i) =>
      new Fields(this.#file, `${this.#place}.${name}[${i}]`, item, this.#depth + 1)
    );
  }

  /** An object in this one, as a component of its own. */
  component(name: string): Fields {
    const place = `${this.#place}.${name}`;
    return new Fields(this.#file, place, this.#object[name], this.#depth + 1);
  }

  /** The error that this object is damaged. */
  error(problem: string): InputError {
    return new InputError(
      `${this.#file}: ${this.#place} ${problem}; repair it or get it again`,
    );
  }

  /** The error that a feature is not supported. */
  unsupported(feature: string, detail: string): InputError {
    return new InputError(
      `${this.#file}: ${this.#place} uses ${
        printableLine(feature, 100)
      }, which is not supported (${detail}), since ` +
        `its token ids would be wrong; docs/tokenizers.md lists what is`,
    );
  }
}
