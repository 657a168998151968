import type { Store } from "../../store/store.ts";

/** What a model writes to be calibrated on, and where it is kept. */
export interface OwnText {
  /** Where it is kept, if anywhere. */
  readonly store: Store | undefined;
  /** The calibration that it is for. */
  readonly key: string;
  /** Its tokens are below this. */
  readonly vocabularySize: number;
}

/** What a model wrote for a calibration; made and kept where it is not there. */
export async function keptTokens(
  { store, key, vocabularySize }: OwnText,
  make: () => Promise<Int32Array>,
): Promise<Int32Array> {
  const name = `tokens-${key}`;
  const kept = await store?.get(name);
  if (kept !== undefined && kept.length > 0 && kept.length % 4 === 0) {
    const tokens = new Int32Array(kept.slice().buffer);
    if (tokens.every((token) => token >= 0 && token < vocabularySize)) return tokens;
  }
  const made = await make();
  await store?.put(name, new Uint8Array(made.buffer, made.byteOffset, made.byteLength));
  return made;
}
