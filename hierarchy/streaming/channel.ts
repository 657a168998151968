/** Values that one part of a program gives to another, which may ask for them before they are there. */
export class Channel<Value> implements AsyncIterable<Value> {
  readonly #values: Value[] = [];
  #ended: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  /** Gives a value. */
  push(value: Value): void {
    this.#values.push(value);
    this.#wake?.();
  }

  /** Says that no more values come. */
  close(): void {
    this.#ended ??= {};
    this.#wake?.();
  }

  /** Throws an error at whoever asks, after the values that were given before. */
  fail(error: unknown): void {
    this.#ended ??= { error };
    this.#wake?.();
  }

  /** The values, in the order in which they were given. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Value> {
    for (;;) {
      while (this.#values.length > 0) yield this.#values.shift()!;
      if (this.#ended !== undefined) {
        if ("error" in this.#ended) throw this.#ended.error;
        return;
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
