import { type ByteSource, checkRange } from "./byte_source.ts";
import { InputError } from "./input_error.ts";

/** A file that arrives from its beginning to its end; what is read of it is waited for. */
export class ArrivingBytes implements ByteSource {
  readonly name: string;
  readonly byteLength: number;
  readonly #bytes: Uint8Array;
  #arrived = 0;
  #failure: { readonly error: unknown } | undefined;
  #waiting: { readonly end: number; readonly resolve: () => void; readonly reject: Reject }[] = [];

  /** A file of which nothing has arrived; throws {@linkcode InputError} if there is no memory for it. */
  constructor(name: string, byteLength: number) {
    this.name = name;
    this.byteLength = byteLength;
    try {
      this.#bytes = new Uint8Array(byteLength);
    } catch (cause) {
      throw new InputError(`${name}: there is no memory for its ${byteLength} bytes`, { cause });
    }
  }

  /** How many bytes have arrived. */
  get arrived(): number {
    return this.#arrived;
  }

  /**
   * Takes in what arrives until all is there. What is waited for fails as the chunks fail, or where
   * they end early or are too many.
   */
  async fill(
    chunks: AsyncIterable<Uint8Array>,
    onArrival?: (arrived: number) => void,
  ): Promise<void> {
    try {
      for await (const chunk of chunks) {
        if (this.#arrived + chunk.length > this.byteLength) {
          throw new InputError(`${this.name}: is longer than its ${this.byteLength} bytes`);
        }
        this.#bytes.set(chunk, this.#arrived);
        this.#arrived += chunk.length;
        onArrival?.(this.#arrived);
        this.#settle();
      }
      if (this.#arrived < this.byteLength) {
        throw new InputError(
          `${this.name}: ended after ${this.#arrived} of ${this.byteLength} bytes`,
        );
      }
    } catch (error) {
      this.#failure = { error };
      this.#settle();
      throw error;
    }
  }

  /** Reads bytes as soon as they are there; views of memory that the file keeps. */
  async read(start: number, end: number): Promise<Uint8Array> {
    checkRange(start, end, this.byteLength);
    if (this.#arrived < end) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push({ end, resolve, reject });
        this.#settle();
      });
    }
    return this.#bytes.subarray(start, end);
  }

  /** Bytes that may not have arrived yet: zeros until then. */
  view(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(start, end);
  }

  #settle(): void {
    this.#waiting = this.#waiting.filter(({ end, resolve, reject }) => {
      if (this.#arrived >= end) resolve();
      else if (this.#failure !== undefined) reject(this.#failure.error);
      else return true;
      return false;
    });
  }
}

type Reject = (error: unknown) => void;
