import { toByteLetters } from "./byte_alphabet.ts";
import type { Fields } from "./fields.ts";
import { type Piece, splitBehaviors, splitPiece } from "./split_text.ts";
import { findCharacters, findRegex, readPattern } from "./text_pattern.ts";

/** Splits a piece of text into those that the model sees, one after another. */
export type PreTokenizer = (piece: Piece) => Iterable<Piece>;

const GPT2_PATTERN =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** Punctuation of any script, and of ASCII what Unicode calls symbols. */
const punctuation = findCharacters(/[\p{P}!-\/:-@\[-`\{-~]/gv);
const whiteSpace = findCharacters(/\p{White_Space}/gu);
const number = findCharacters(/\p{N}/gu);

/** Reads `pre_tokenizer`; throws where it is one whose pieces would not be the Rust library's. */
export function readPreTokenizer(fields: Fields): PreTokenizer {
  const read = Object.hasOwn(readers, fields.type) ? readers[fields.type] : undefined;
  if (read === undefined) throw fields.unsupported(fields.type, "no such pre-tokenizer is known");
  return read(fields);
}

const readers: Readonly<Record<string, (fields: Fields) => PreTokenizer>> = {
  BertPreTokenizer(fields) {
    fields.allow();
    return chain([
      (piece) => splitPiece(piece, whiteSpace, "Removed"),
      (piece) => splitPiece(piece, punctuation, "Isolated"),
    ]);
  },
  ByteLevel(fields) {
    fields.allow("add_prefix_space", "trim_offsets", "use_regex");
    const prefix = fields.flag("add_prefix_space", true);
    const find = fields.flag("use_regex", true) ? findRegex(fields, GPT2_PATTERN) : undefined;
    return function* ({ text, first }) {
      const whole = prefix && !text.startsWith(" ") ? ` ${text}` : text;
      const pieces = find === undefined
        ? [{ text: whole, first }]
        : splitPiece({ text: whole, first }, find, "Isolated");
      for (const piece of pieces) yield { text: toByteLetters(piece.text), first: piece.first };
    };
  },
  CharDelimiterSplit(fields) {
    fields.allow("delimiter");
    const delimiter = oneCharacter(fields, "delimiter");
    const find = findCharacters(new RegExp(`\\u{${delimiter.codePointAt(0)!.toString(16)}}`, "gu"));
    return (piece) => splitPiece(piece, find, "Removed");
  },
  Digits(fields) {
    fields.allow("individual_digits");
    const behavior = fields.flag("individual_digits", false) ? "Isolated" : "Contiguous";
    return (piece) => splitPiece(piece, number, behavior);
  },
  FixedLength(fields) {
    fields.allow("length");
    const length = fields.count("length", 5);
    if (length === 0) throw fields.error("length should be at least 1");
    return function* ({ text, first }) {
      const characters = [...text];
      for (let start = 0; start < characters.length; start += length) {
        const part = characters.slice(start, start + length).join("");
        yield { text: part, first: first && start === 0 };
      }
    };
  },
  Metaspace: readMetaspace,
  Punctuation(fields) {
    fields.allow("behavior");
    const behavior = fields.choice("behavior", splitBehaviors, "Isolated");
    return (piece) => splitPiece(piece, punctuation, behavior);
  },
  Sequence(fields) {
    fields.allow("pretokenizers");
    return chain(fields.components("pretokenizers").map(readPreTokenizer));
  },
  Split(fields) {
    fields.allow("pattern", "behavior", "invert");
    const find = readPattern(fields);
    const behavior = fields.choice("behavior", splitBehaviors);
    const inverted = fields.flag("invert", false);
    return (piece) => splitPiece(piece, find, behavior, inverted);
  },
  Whitespace(fields) {
    fields.allow();
    const word = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]+";
    const find = findCharacters(
      new RegExp(`${word}|[^${word.slice(1, -2)}\\p{White_Space}]+`, "gv"),
    );
    return (piece) => splitPiece(piece, find, "Removed", true);
  },
  WhitespaceSplit(fields) {
    fields.allow();
    return (piece) => splitPiece(piece, whiteSpace, "Removed");
  },
};

/** How SentencePiece writes spaces, as words of their own or not. */
function readMetaspace(fields: Fields): PreTokenizer {
  fields.allow("replacement", "str_rep", "prepend_scheme", "add_prefix_space", "split");
  const replacement = oneCharacter(fields, "replacement");
  const scheme = prependScheme(fields);
  const splits = fields.flag("split", true);
  return function* ({ text, first }) {
    let whole = text.replaceAll(" ", replacement);
    const prepends = scheme === "always" || scheme === "first" && first;
    if (prepends && !whole.startsWith(replacement)) whole = replacement + whole;
    if (!splits) return yield { text: whole, first };
    for (let start = 0; start < whole.length;) {
      const next = whole.indexOf(replacement, start + 1);
      const end = next < 0 ? whole.length : next;
      yield { text: whole.slice(start, end), first: first && start === 0 };
      start = end;
    }
  };
}

/** Whether Metaspace begins pieces with a space; older files say it by `add_prefix_space`. */
export function prependScheme(fields: Fields): "always" | "first" | "never" {
  const scheme = fields.choice("prepend_scheme", ["always", "first", "never"], "always");
  if (fields.flag("add_prefix_space", true)) return scheme;
  if (fields.value("prepend_scheme") === undefined || scheme === "never") return "never";
  throw fields.error(`has add_prefix_space: false and prepend_scheme: ${scheme}`);
}

/** A field that is one character. */
export function oneCharacter(fields: Fields, name: string): string {
  const text = fields.text(name);
  if ([...text].length === 1) return text;
  throw fields.error(`${name} should be one character`);
}

function chain(steps: readonly PreTokenizer[]): PreTokenizer {
  function* from(piece: Piece, step: number): Iterable<Piece> {
    if (step === steps.length) return yield piece;
    for (const part of steps[step]!(piece)) yield* from(part, step + 1);
  }
  return (piece) => from(piece, 0);
}
