import { fromBase64 } from "../base64.ts";
import type { Fields } from "./fields.ts";

/** Clusters of fewer bytes are looked up whole before their characters are. */
const SHORT_CLUSTER = 6;
/** Most results that are remembered. */
const MOST_KEPT = 100_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * SentencePiece's table of replacements: a double-array trie over UTF-8 bytes, whose leaves point
 * into a list of texts that end in a zero byte.
 */
export function createPrecompiled(fields: Fields, base64: string): (text: string) => string {
  const { units, texts } = readTable(fields, base64);
  const known = new Map<string, string | undefined>();

  /** What stands for a text that begins with an entry of the table: the shortest such one. */
  function find(part: string): string | undefined {
    let node = offsetOf(units[0]!);
    for (const byte of encoder.encode(part)) {
      if (byte === 0) return undefined;
      node ^= byte;
      const unit = units[node];
      if (unit === undefined || (unit & 0x800000ff) !== byte) return undefined;
      node ^= offsetOf(unit);
      if ((unit >>> 8 & 1) === 0) continue;
      const start = (units[node] ?? 0) & 0x7fffffff;
      const end = texts.indexOf(0, start);
      return decoder.decode(texts.subarray(start, end < 0 ? texts.length : end));
    }
    return undefined;
  }

  function replacement(part: string): string | undefined {
    if (known.has(part)) return known.get(part);
    const found = find(part);
    if (known.size >= MOST_KEPT) known.clear();
    known.set(part, found);
    return found;
  }

  function replaceCluster(cluster: string): string {
    if (cluster.length < SHORT_CLUSTER && encoder.encode(cluster).length < SHORT_CLUSTER) {
      const whole = replacement(cluster);
      if (whole !== undefined) return whole;
    }
    let text = "";
    for (const character of cluster) text += replacement(character) ?? character;
    return text;
  }

  if (units.length === 0) return (text) => text;
  return (text) => {
    let normalized = "";
    for (const cluster of clusters(text)) normalized += replaceCluster(cluster);
    return normalized;
  };
}

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Grapheme clusters; ASCII is cut without the segmenter, which is slow. */
function* clusters(text: string): Iterable<string> {
  for (let at = 0; at < text.length;) {
    const unit = text.charCodeAt(at);
    const next = at + 1 < text.length ? text.charCodeAt(at + 1) : 0;
    if (unit < 0x80 && next < 0x80 && unit !== 0x0d) {
      yield text[at]!;
      at += 1;
      continue;
    }
    // Up to a character of ASCII behind another one, where a cluster always ends.
    let end = at + 1;
    while (end < text.length && !(isPlain(text, end - 1) && isPlain(text, end))) end += 1;
    for (const { segment } of segmenter.segment(text.slice(at, end))) yield segment;
    at = end;
  }
}

function isPlain(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit < 0x80 && unit !== 0x0d && unit !== 0x0a;
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

function readTable(fields: Fields, base64: string): { units: Uint32Array; texts: Uint8Array } {
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(base64);
  } catch {
    throw fields.error("precompiled_charsmap should be base64");
  }
  if (bytes.length === 0) return { units: new Uint32Array(), texts: bytes };
  const view = new DataView(bytes.buffer);
  const size = bytes.length < 4 ? 0 : view.getUint32(0, true);
  if (size < 4 || size % 4 !== 0 || 4 + size > bytes.length) {
    throw fields.error("precompiled_charsmap is cut short");
  }
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  return { units, texts: bytes.subarray(4 + size) };
}
