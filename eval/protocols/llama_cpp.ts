import { beginText, nextTokenWindow, type Window, type WindowText } from "./window.ts";

/**
 * llama.cpp's protocol: chunks of the context's length, the remainder dropped, the first token of
 * each replaced by BOS where there is one; the predictions of the second half of each chunk count.
 */
export function llamaCppWindows(text: WindowText): Window[] {
  const { contextLength, bosTokenId } = text;
  const whole = beginText(text);
  return Array.from({ length: Math.floor(whole.length / contextLength) }, (_, chunk) => {
    const tokens = whole.slice(chunk * contextLength, (chunk + 1) * contextLength);
    if (bosTokenId !== undefined) tokens[0] = bosTokenId;
    return nextTokenWindow(tokens, Math.floor(contextLength / 2), contextLength - 1, chunk);
  });
}
