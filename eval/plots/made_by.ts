import { crc32 } from "node:zlib";

/** Stands in the beginning of every picture and page, so that a later run knows them as its own. */
export const MADE_BY = "made by kanpress";

/** {@linkcode MADE_BY} as a comment of HTML and SVG. */
export const MADE_BY_COMMENT = `<!-- ${MADE_BY} -->`;

/** An SVG document with the comment after its first tag. */
export function markSvg(svg: string): string {
  return svg.replace(/<svg\b[^>]*>/, (tag) => tag + MADE_BY_COMMENT);
}

/** Bytes of a PNG file before its second chunk: the signature and the header. */
const PNG_START = 33;

/** A PNG picture with the mark as a comment after its header. */
export function markPng(png: Uint8Array): Uint8Array<ArrayBuffer> {
  const typed = new TextEncoder().encode(`tEXtComment\0${MADE_BY}`);
  const chunk = new Uint8Array(typed.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, typed.length - 4);
  chunk.set(typed, 4);
  view.setUint32(4 + typed.length, crc32(typed));
  const marked = new Uint8Array(png.length + chunk.length);
  marked.set(png.subarray(0, PNG_START));
  marked.set(chunk, PNG_START);
  marked.set(png.subarray(PNG_START), PNG_START + chunk.length);
  return marked;
}
