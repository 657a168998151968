import { least } from "../../data/extremes.ts";

/** At most `limit` tokens in whole chunks, spread evenly over the text. */
export function spread(tokens: Int32Array, limit: number, chunk: number): Int32Array {
  const available = Math.floor(tokens.length / chunk);
  const wanted = Math.min(available, Math.max(1, Math.floor(limit / chunk)));
  if (wanted === available) return tokens;
  const chosen = new Int32Array(wanted * chunk);
  for (let i = 0; i < wanted; i++) {
    const start = Math.floor(i * available / wanted) * chunk;
    chosen.set(tokens.subarray(start, start + chunk), i * chunk);
  }
  return chosen;
}

/**
 * At most `limit` tokens in whole chunks of several texts, as many of each as there are, or as its
 * length gives. Every beginning of the result is about as even a mixture as the whole. Texts shorter
 * than a chunk give nothing; a single text is as {@linkcode spread} gives it. With `scatters` the
 * chunks of each are as {@linkcode scatter} gives them, so that every beginning is spread over all of
 * each text.
 */
export function mixTexts(
  texts: readonly Int32Array[],
  limit: number,
  chunk: number,
  scatters = false,
): Int32Array {
  const choose = (tokens: Int32Array, limit: number) => {
    const chosen = spread(tokens, limit, chunk);
    return scatters ? scatter(chosen, chunk) : chosen;
  };
  if (texts.length === 1) return choose(texts[0]!, limit);
  const counts = evenCounts(
    texts.map(({ length }) => Math.floor(length / chunk)),
    Math.max(1, Math.floor(limit / chunk)),
  );
  return interleave(
    texts.map((tokens, text) =>
      counts[text] === 0 ? new Int32Array() : choose(tokens, counts[text]! * chunk)
    ),
    chunk,
  );
}

/**
 * All whole chunks of a text in an order in which every beginning, and every stretch, is spread evenly
 * over it: by their numbers with the bits reversed, as van der Corput's sequence goes.
 */
export function scatter(tokens: Int32Array, chunk: number): Int32Array {
  const count = Math.floor(tokens.length / chunk);
  const bits = Math.ceil(Math.log2(Math.max(1, count)));
  const scattered = new Int32Array(count * chunk);
  for (let step = 0, at = 0; step < 2 ** bits; step++) {
    let from = 0;
    for (let bit = 0; bit < bits; bit++) from = 2 * from + (step >> bit & 1);
    if (from >= count) continue;
    scattered.set(tokens.subarray(from * chunk, (from + 1) * chunk), at * chunk);
    at++;
  }
  return scattered;
}

/**
 * All whole chunks of several texts, so that every beginning of the result has about as large a share
 * of each text.
 */
export function interleave(texts: readonly Int32Array[], chunk: number): Int32Array {
  const places = texts.flatMap(({ length }, text) => {
    const count = Math.floor(length / chunk);
    return Array.from({ length: count }, (_, i) => ({ text, i, at: (i + 0.5) / count }));
  });
  places.sort((a, b) => a.at - b.at || a.text - b.text);
  const mixed = new Int32Array(places.length * chunk);
  places.forEach(({ text, i }, place) => {
    mixed.set(texts[text]!.subarray(i * chunk, (i + 1) * chunk), place * chunk);
  });
  return mixed;
}

/** How many of what is available each gives, so that all together give `wanted` at most. */
function evenCounts(available: readonly number[], wanted: number): number[] {
  const counts = available.map(() => 0);
  let left = wanted;
  while (left > 0) {
    const open = counts.flatMap((count, i) => count < available[i]! ? [i] : []);
    if (open.length === 0) break;
    // As many to each as all of them can give and there are; at the end one to each of the first.
    const room = least(open.map((i) => available[i]! - counts[i]!));
    const each = Math.min(room, Math.floor(left / open.length));
    for (const i of each > 0 ? open : open.slice(0, left)) {
      counts[i] = counts[i]! + Math.max(1, each);
      left -= Math.max(1, each);
    }
  }
  return counts;
}
