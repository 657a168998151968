import type { TransformerDescription } from "../architectures/description.ts";
import { chooseProtocol, planWindows } from "./protocol.ts";

/**
 * Cuts a tokenized text into whole chunks, one after another, as llama.cpp does: BOS goes before the
 * text and replaces the first token of each chunk, where a BOS token is given; the remainder is
 * dropped. Throws {@linkcode InputError} if the text or the context cannot be used.
 */
export function cutIntoChunks(
  tokens: Int32Array,
  model: TransformerDescription,
  contextLength: number,
  bosTokenId?: number,
): Int32Array {
  const settings = chooseProtocol(model, { protocol: "llama.cpp", contextLength });
  const text = { tokens, ...(bosTokenId !== undefined && { bosTokenId }) };
  const windows = planWindows(model, settings, text);
  const chunks = new Int32Array(windows.length * contextLength);
  windows.forEach((window, index) => chunks.set(window.tokens, index * contextLength));
  return chunks;
}
