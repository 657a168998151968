import { bytesOfToken } from "./byte_alphabet.ts";
import type { Fields } from "./fields.ts";
import { oneCharacter, prependScheme } from "./pre_tokenizers.ts";
import { readPattern, replaceMatches } from "./text_pattern.ts";

/** Turns tokens into texts that are then written one after another. */
export type Decoder = (tokens: readonly string[]) => string[];

/** Reads `decoder`; throws where it is one whose texts would not be the Rust library's. */
export function readDecoder(fields: Fields): Decoder {
  const read = Object.hasOwn(readers, fields.type) ? readers[fields.type] : undefined;
  if (read === undefined) throw fields.unsupported(fields.type, "no such decoder is known");
  return read(fields);
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const strictUtf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

const readers: Readonly<Record<string, (fields: Fields) => Decoder>> = {
  BPEDecoder(fields) {
    fields.allow("suffix");
    const suffix = fields.text("suffix", "</w>");
    return (tokens) =>
      tokens.map((token, i) => token.replaceAll(suffix, i + 1 === tokens.length ? "" : " "));
  },
  ByteFallback(fields) {
    fields.allow();
    return joinBytes;
  },
  ByteLevel(fields) {
    fields.allow("add_prefix_space", "trim_offsets", "use_regex");
    return (tokens) => {
      const parts = tokens.map(bytesOfToken);
      const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const part of parts) {
        bytes.set(part, at);
        at += part.length;
      }
      return [utf8.decode(bytes)];
    };
  },
  Fuse(fields) {
    fields.allow();
    return (tokens) => [tokens.join("")];
  },
  Metaspace(fields) {
    fields.allow("replacement", "str_rep", "prepend_scheme", "add_prefix_space", "split");
    const replacement = oneCharacter(fields, "replacement");
    const drops = prependScheme(fields) !== "never";
    return (tokens) =>
      tokens.map((token, i) => token.replaceAll(replacement, drops && i === 0 ? "" : " "));
  },
  Replace(fields) {
    fields.allow("pattern", "content");
    const find = readPattern(fields);
    const content = fields.text("content");
    return (tokens) => tokens.map((token) => replaceMatches(token, find, content));
  },
  Sequence(fields) {
    fields.allow("decoders");
    const steps = fields.components("decoders").map(readDecoder);
    return (tokens) => steps.reduce((texts, step) => step(texts), [...tokens]);
  },
  Strip(fields) {
    fields.allow("content", "start", "stop");
    const content = oneCharacter(fields, "content");
    const start = fields.count("start", 0), stop = fields.count("stop", 0);
    return (tokens) => tokens.map((token) => stripEnds(token, content, start, stop));
  },
  WordPiece(fields) {
    fields.allow("prefix", "cleanup");
    const prefix = fields.text("prefix", "##");
    const cleans = fields.flag("cleanup", true);
    return (tokens) =>
      tokens.map((token, i) => {
        const text = i === 0
          ? token
          : token.startsWith(prefix)
          ? token.slice(prefix.length)
          : ` ${token}`;
        return cleans ? cleanUp(text) : text;
      });
  },
};

/** Tokens of single bytes, `<0xF0>`, become the characters that they write, or U+FFFD each. */
function joinBytes(tokens: readonly string[]): string[] {
  const texts: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    try {
      texts.push(strictUtf8.decode(Uint8Array.from(bytes)));
    } catch {
      for (const _ of bytes) texts.push("\ufffd");
    }
    bytes = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token);
    if (byte !== null) {
      bytes.push(Number.parseInt(byte[1]!, 16));
    } else {
      flush();
      texts.push(token);
    }
  }
  flush();
  return texts;
}

function stripEnds(text: string, content: string, start: number, stop: number): string {
  let from = 0, to = text.length;
  for (let i = 0; i < start && text.startsWith(content, from); i++) from += content.length;
  for (let i = 0; i < stop && to > from && text.endsWith(content, to); i++) to -= content.length;
  return text.slice(from, to);
}

/** What English punctuation and contractions lose of the spaces around them. */
const cleanUps: readonly (readonly [from: string, to: string])[] = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

function cleanUp(text: string): string {
  return cleanUps.reduce((cleaned, [from, to]) => cleaned.replaceAll(from, to), text);
}
