/** Chunks to train on, and those that judge. */
export interface SplitChunks {
  readonly chunks: readonly Int32Array[];
  readonly heldOut: readonly Int32Array[];
}

/** One chunk of so many is held out. */
const EVERY = 8;
/** No more chunks than have so many tokens are held out: judging is to be cheap. */
const MOST_TOKENS = 8192;

/**
 * Holds out an eighth of the chunks, spread evenly over the text, at least one and at most 8,192 tokens.
 * There must be two chunks.
 */
export function holdOut(all: readonly Int32Array[]): SplitChunks {
  const most = Math.max(1, Math.floor(MOST_TOKENS / all[0]!.length));
  const count = Math.min(most, Math.max(1, Math.round(all.length / EVERY)));
  const held = new Set(
    Array.from({ length: count }, (_, i) => Math.floor((i + 0.5) * all.length / count)),
  );
  return {
    chunks: all.filter((_, i) => !held.has(i)),
    heldOut: all.filter((_, i) => held.has(i)),
  };
}
