import { toBase64 } from "../data/base64.ts";

/** What every answer says: its type is not to be guessed, and nobody else's page may show it. */
const HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cross-origin-resource-policy": "same-origin",
  // With the one above, these let the page share memory between its threads.
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "referrer-policy": "no-referrer",
};

/** The page runs its own scripts and WASM only, asks its own server only, and is not framed. */
const POLICY: Readonly<Record<string, string>> = {
  "default-src": "'self'",
  "script-src": "'self' 'wasm-unsafe-eval'",
  "object-src": "'none'",
  "img-src": "data:",
  "base-uri": "'none'",
  "form-action": "'none'",
  "frame-ancestors": "'none'",
};

/**
 * Headers that keep a browser from doing more with an answer than the page needs. `page` is the
 * answer where it is HTML: the scripts within it may run, by their hashes.
 */
export async function securityHeaders(page?: Uint8Array): Promise<Record<string, string>> {
  const hashes = page === undefined ? [] : await scriptHashes(new TextDecoder().decode(page));
  const scripts = [POLICY["script-src"], ...hashes].join(" ");
  const policy = Object.entries({ ...POLICY, "script-src": scripts })
    .map((directive) => directive.join(" ")).join("; ");
  return { ...HEADERS, "content-security-policy": policy };
}

async function scriptHashes(html: string): Promise<string[]> {
  const scripts = html.matchAll(/<script[^>]*>([^<]+)<\/script>/g);
  return await Promise.all(Array.from(scripts, async ([, code = ""]) => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code));
    return `'sha256-${toBase64(new Uint8Array(digest))}'`;
  }));
}

/**
 * Whether a request was made to this server by a name that only this machine has. A page elsewhere
 * can have its own name lead here (DNS rebinding) and would then read what is served.
 */
export function isOwnHost(host: string | null, port: number): boolean {
  return host === `127.0.0.1:${port}` || host === `localhost:${port}`;
}
