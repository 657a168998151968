import { toBase64 } from "./base64.ts";

/** SHA-256 in base64. Shared memory, which the platform's function refuses, is copied. */
export async function sha256(data: Uint8Array | Float32Array | Int32Array): Promise<string> {
  const isShared = typeof SharedArrayBuffer !== "undefined" &&
    data.buffer instanceof SharedArrayBuffer;
  const own = (isShared ? data.slice() : data) as Uint8Array<ArrayBuffer>;
  const digest = await crypto.subtle.digest("SHA-256", own);
  return toBase64(new Uint8Array(digest));
}

/** SHA-256, in base64, of a value that JSON can hold. */
export async function sha256OfJson(value: unknown): Promise<string> {
  return await sha256(new TextEncoder().encode(JSON.stringify(value)));
}
