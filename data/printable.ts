import { hideCredentials } from "./shown_url.ts";

/**
 * What a terminal, or a reader's eye, takes for something else than a character: controls (C0, DEL,
 * C1), separators of lines and paragraphs, bidirectional overrides, and all that is invisible.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Of those, what ordinary writing needs: ends of lines, tabs, joiners, variants of a character. */
const ordinary = /^[\n\t\u200c\u200d\ufe00-\ufe0f]$/;

/** Most characters of an error's message. */
const longestError = 4000;

const shortEscapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Text of a file, a model or a server for one line of a terminal: each control character, line
 * break and invisible character is replaced by its JSON escape, such as `\u001b`, and a text that
 * takes more than `longest` characters ends with an ellipsis there.
 *
 * ```ts
 * import { printableLine } from "./printable.ts";
 * import assert from "node:assert";
 *
 * assert.equal(printableLine("a\x1b[2Jb\nc"), "a\\u001b[2Jb\\nc");
 * assert.equal(printableLine("Pride and Prejudice", 6), "Pride…");
 * ```
 */
export function printableLine(text: string, longest: number = 300): string {
  return escapeUpTo(text, longest, (letter) => letter.replace(unprintable, escapeOf));
}

/**
 * As {@linkcode printableLine} for a text of several lines, whole: ends of lines and tabs stay, and
 * so do joiners and variation selectors, which some scripts and emoji are written with. A JSON text
 * stands for the same value afterwards.
 */
export function printableText(text: string): string {
  return text.replaceAll("\r\n", "\n")
    .replaceAll(unprintable, (letter) => ordinary.test(letter) ? letter : escapeOf(letter));
}

/**
 * The message of an error as one printable line: line breaks become semicolons, and addresses lose
 * the user names and passwords that they have.
 */
export function errorLine(message: string): string {
  const start = hideCredentials(message.slice(0, 2 * longestError));
  return printableLine(start.replaceAll(/\s*[\r\n]+\s*/g, "; "), longestError);
}

/** As {@linkcode printableLine}, between quotation marks that count, as in JSON. */
export function quotedLine(text: string, longest: number): string {
  const escape = (letter: string) => letter.replace(/["\\]/, "\\$&").replace(unprintable, escapeOf);
  return `"${escapeUpTo(text, longest - 2, escape)}"`;
}

/** Escapes one character after the other, no more of them than fit. */
function escapeUpTo(text: string, longest: number, escape: (letter: string) => string): string {
  const pieces: string[] = [];
  let length = 0;
  let fitting = 0;
  for (const letter of text) {
    const piece = escape(letter);
    const size = piece === letter ? 1 : piece.length;
    if (length + size > longest) return `${pieces.slice(0, fitting).join("")}…`;
    length += size;
    pieces.push(piece);
    // What still leaves room for an ellipsis.
    if (length < longest) fitting = pieces.length;
  }
  return pieces.join("");
}

function escapeOf(letter: string): string {
  const short = shortEscapes[letter];
  if (short !== undefined) return short;
  const units = Array.from({ length: letter.length }, (_, i) => letter.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
