// Node before version 25 lacks Uint8Array.fromBase64(), toBase64() and toHex().

/** Bytes at a time: arguments of a function are not many. */
const RUN = 8192;

/** The bytes that a text in base64 stands for. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Bytes in base64. */
export function toBase64(bytes: Uint8Array): string {
  let characters = "";
  for (let at = 0; at < bytes.length; at += RUN) {
    characters += String.fromCharCode(...bytes.subarray(at, at + RUN));
  }
  return btoa(characters);
}

/** The bytes that hexadecimal digits stand for, two each. */
export function fromHex(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Bytes as two hexadecimal digits each. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
