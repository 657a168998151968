import { beginText, nextTokenWindow, type Window, type WindowText } from "./window.ts";

/**
 * The protocol of GPTQ's paper and its followers: windows of the context's length that do not
 * overlap, the remainder dropped; every prediction within a window counts.
 */
export function gptqWindows(text: WindowText): Window[] {
  const { contextLength } = text;
  const whole = beginText(text);
  return Array.from({ length: Math.floor(whole.length / contextLength) }, (_, chunk) => {
    const tokens = whole.slice(chunk * contextLength, (chunk + 1) * contextLength);
    return nextTokenWindow(tokens, 0, contextLength - 1, chunk);
  });
}
