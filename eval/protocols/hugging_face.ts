import { beginText, nextTokenWindow, type Window, type WindowText } from "./window.ts";

/**
 * Hugging Face's sliding window: each begins `stride` tokens after the one before, and its
 * predictions count where no earlier window made them. Every token but the first counts once, unless
 * windows do not overlap, where each window's first token has nothing to be predicted from. (The
 * script in the documentation of transformers weighs the windows' means by one prediction less than
 * they have.)
 */
export function huggingFaceWindows(text: WindowText): Window[] {
  const { contextLength, stride = defaultStride(contextLength) } = text;
  const whole = beginText(text);
  const windows: Window[] = [];
  let predicted = 1;
  for (let start = 0; predicted < whole.length; start += stride) {
    const end = Math.min(start + contextLength, whole.length);
    const tokens = whole.slice(start, end);
    const first = Math.max(0, predicted - 1 - start);
    const last = end - 1 - start;
    if (first < last) windows.push(nextTokenWindow(tokens, first, last, windows.length));
    predicted = end;
  }
  return windows;
}

/** Half of the context. */
export function defaultStride(contextLength: number): number {
  return Math.ceil(contextLength / 2);
}
