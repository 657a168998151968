import { toByteLetters } from "./byte_alphabet.ts";
import type { Fields } from "./fields.ts";
import { createPrecompiled } from "./precompiled.ts";
import { readPattern, replaceMatches } from "./text_pattern.ts";

/** Changes a text before it is split. */
export type Normalizer = (text: string) => string;

/** Reads `normalizer`; throws where it is one whose texts would not be the Rust library's. */
export function readNormalizer(fields: Fields): Normalizer {
  const read = Object.hasOwn(readers, fields.type) ? readers[fields.type] : undefined;
  if (read === undefined) throw fields.unsupported(fields.type, "no such normalizer is known");
  return read(fields);
}

/**
 * Of `normalizer` only what removes characters: the Rust library no longer takes a text that lost its
 * first ones for the beginning. Those that `Precompiled` replaces by nothing do not count there.
 */
export function readRemoval(fields: Fields): Normalizer {
  if (fields.type === "Sequence") {
    const steps = fields.components("normalizers").map(readRemoval);
    return (text) => steps.reduce((changed, step) => step(changed), text);
  }
  return removers.has(fields.type) ? readNormalizer(fields) : (text) => text;
}

const removers = new Set(["BertNormalizer", "Nmt", "Strip", "StripAccents"]);

const readers: Readonly<Record<string, (fields: Fields) => Normalizer>> = {
  BertNormalizer: readBert,
  ByteLevel(fields) {
    fields.allow();
    return toByteLetters;
  },
  Lowercase(fields) {
    fields.allow();
    return lowercase;
  },
  NFC: unicodeForm,
  NFD: unicodeForm,
  NFKC: unicodeForm,
  NFKD: unicodeForm,
  Nmt(fields) {
    fields.allow();
    return (text) => text.replaceAll(nmtRemoved, "").replaceAll(nmtSpace, " ");
  },
  Precompiled(fields) {
    fields.allow("precompiled_charsmap");
    return createPrecompiled(fields, fields.text("precompiled_charsmap", ""));
  },
  Prepend(fields) {
    fields.allow("prepend");
    const prefix = fields.text("prepend");
    return (text) => text === "" ? text : prefix + text;
  },
  Replace(fields) {
    fields.allow("pattern", "content");
    const find = readPattern(fields);
    const content = fields.text("content");
    return (text) => replaceMatches(text, find, content);
  },
  Sequence(fields) {
    fields.allow("normalizers");
    const steps = fields.components("normalizers").map(readNormalizer);
    return (text) => steps.reduce((changed, step) => step(changed), text);
  },
  Strip(fields) {
    fields.allow("strip_left", "strip_right");
    const left = fields.flag("strip_left", true), right = fields.flag("strip_right", true);
    return (text) => {
      const stripped = left ? text.replace(/^\p{White_Space}+/u, "") : text;
      return right ? stripEnd(stripped) : stripped;
    };
  },
  StripAccents(fields) {
    fields.allow();
    return (text) => text.replaceAll(/\p{M}/gu, "");
  },
};

/** What SentencePiece's rules for translation remove: the control characters but for some spaces. */
const nmtRemoved = /[[\p{Cc}]--[\0\t\n\f\r\x80-\x8e\x90-\x9e]]/gv;
const nmtSpace = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g;

function unicodeForm(fields: Fields): Normalizer {
  fields.allow();
  return (text) => text.normalize(fields.type);
}

/** Character by character: JavaScript would write ς for a Σ that ends a word. */
function lowercase(text: string): string {
  return text.split("\u03a3").map((part) => part.toLowerCase()).join("\u03c3");
}

/** A RegExp that is anchored at the end takes quadratic time. */
function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && /\p{White_Space}/u.test(text[end - 1]!)) end -= 1;
  return text.slice(0, end);
}

function readBert(fields: Fields): Normalizer {
  fields.allow("clean_text", "handle_chinese_chars", "strip_accents", "lowercase");
  const lowers = fields.flag("lowercase", true);
  const steps: Normalizer[] = [];
  if (fields.flag("clean_text", true)) {
    steps.push((text) =>
      text.replaceAll(/[[\p{Cc}\p{Cf}\p{Co}\0\ufffd]--[\t\n\r]]/gv, "").replaceAll(
        /\p{White_Space}/gu,
        " ",
      )
    );
  }
  if (fields.flag("handle_chinese_chars", true)) {
    steps.push((text) => text.replaceAll(ideograph, " $& "));
  }
  if (fields.flag("strip_accents", lowers)) {
    steps.push((text) => text.normalize("NFD").replaceAll(/\p{Mn}/gu, ""));
  }
  if (lowers) steps.push(lowercase);
  return (text) => steps.reduce((changed, step) => step(changed), text);
}

/** The blocks that BERT calls Chinese characters. */
const ideograph =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;
