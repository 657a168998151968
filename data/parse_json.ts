/** Nothing that is read nests nearly as deeply. */
const deepest = 500;

/**
 * As `JSON.parse`, but a SyntaxError too where objects and lists nest more than 500 deep: what is
 * parsed is copied to workers and written again, by code that takes a call for each level.
 */
export function parseJson(text: string): unknown {
  if (nesting(text) > deepest) {
    throw new SyntaxError(`it nests objects and lists more than ${deepest} deep`);
  }
  return JSON.parse(text);
}

const [quoteCode, backslashCode] = [0x22, 0x5c];

/** How deep the brackets of a JSON text nest, counted no further than matters; else any number. */
function nesting(text: string): number {
  let depth = 0, most = 0;
  for (let at = 0; at < text.length && most <= deepest; at++) {
    const code = text.charCodeAt(at);
    if (code === quoteCode) {
      // To the end of the string.
      while (++at < text.length && text.charCodeAt(at) !== quoteCode) {
        if (text.charCodeAt(at) === backslashCode) at++;
      }
    } else if (code === 0x5b || code === 0x7b) {
      most = Math.max(most, ++depth);
    } else if (code === 0x5d || code === 0x7d) {
      depth--;
    }
  }
  return most;
}
