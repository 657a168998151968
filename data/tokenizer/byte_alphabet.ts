/**
 * The letters that stand for bytes in byte-level vocabularies, in the order of the bytes: printable
 * characters of Latin-1 for themselves, and those from U+0100 for the others.
 */
export const byteLetters: readonly string[] = makeLetters();

const bytesOfLetters = new Map(byteLetters.map((letter, byte) => [letter, byte]));

function makeLetters(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = byte > 0x20 && byte < 0x7f || byte > 0xa0 && byte !== 0xad;
    return String.fromCodePoint(printable ? byte : next++);
  });
}

const encoder = new TextEncoder();

/** The letters of a text's UTF-8 bytes. */
export function toByteLetters(text: string): string {
  let letters = "";
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return letters + encodeRest(text.slice(i));
    letters += byteLetters[unit];
  }
  return letters;
}

function encodeRest(text: string): string {
  let letters = "";
  for (const byte of encoder.encode(text)) letters += byteLetters[byte];
  return letters;
}

/** The bytes that a token's letters stand for; those of its own UTF-8 where one stands for none. */
export function bytesOfToken(token: string): Uint8Array {
  const bytes = Array.from(token, (letter) => bytesOfLetters.get(letter));
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : encoder.encode(token);
}
