/** What `JSON.parse` hides of a text that it accepts. */
export interface JsonFinding {
  /**
   * A key that an object has twice, a number that is not written as a plain natural number, or a
   * string with half of a surrogate pair, which is not Unicode text.
   */
  readonly kind: "duplicate" | "number" | "surrogate";
  /** The key, or the number or string as written. */
  readonly text: string;
  /** Keys of the objects around it, outermost first. */
  readonly path: readonly string[];
}

interface Frame {
  readonly keys: Set<string> | null; // null in an array
  key: string;
}

const quoteCode = 0x22;
const backslashCode = 0x5c;

/**
 * Looks through a text that `JSON.parse` accepts for the first duplicate key, of which
 * `JSON.parse` keeps only the last value; number with a sign, fraction or exponent, such as the
 * `1.0` that it makes 1; or string that is not Unicode text.
 */
export function scanJson(text: string): JsonFinding | undefined {
  const stack: Frame[] = [];
  let expectsKey = false;
  let at = 0;
  const found = (kind: JsonFinding["kind"], finding: string): JsonFinding => ({
    kind,
    text: finding,
    path: stack.filter((frame) => frame.keys !== null).map((frame) => frame.key),
  });
  while (at < text.length) {
    const character = text[at]!;
    const top = stack.at(-1);
    if (character === '"') {
      const end = stringEnd(text, at);
      const written = text.slice(at, end);
      const content = written.includes("\\") ? String(JSON.parse(written)) : written.slice(1, -1);
      if (!content.isWellFormed()) return found("surrogate", written);
      if (expectsKey && top !== undefined && top.keys !== null) {
        if (top.keys.has(content)) {
          stack.pop();
          return found("duplicate", content);
        }
        top.keys.add(content);
        top.key = content;
        expectsKey = false;
      }
      at = end;
      continue;
    }
    if (character === "-" || (character >= "0" && character <= "9")) {
      const end = numberEnd(text, at);
      const number = text.slice(at, end);
      if (!/^\d+$/.test(number)) return found("number", number);
      at = end;
      continue;
    }
    if (character === "{") stack.push({ keys: new Set(), key: "" });
    else if (character === "[") stack.push({ keys: null, key: "" });
    else if (character === "}" || character === "]") stack.pop();
    if (character === "{" || character === ",") expectsKey = stack.at(-1)?.keys != null;
    at++;
  }
  return undefined;
}

/** Position after the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (text.charCodeAt(at) !== quoteCode) at += text.charCodeAt(at) === backslashCode ? 2 : 1;
  return at + 1;
}

function numberEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && "0123456789+-.eE".includes(text[at]!)) at++;
  return at;
}
