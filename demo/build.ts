import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readAll } from "../data/byte_source.ts";
import { writeFileAtomically } from "../data/write_file.ts";
import { securityHeaders } from "./page_security.ts";
import type { Site } from "./site.ts";

/** Name of the file in which Netlify, Cloudflare Pages and others look for headers. */
const HEADERS_NAME = "_headers";

/** How the site is written. */
export interface BuildOptions {
  /** Called with the share of the files that are written, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Writes a site into a folder that is there, for any host of static files, and gives the bytes of all
 * files. The page's rules of security stand within it, since such hosts send no headers of ours;
 * a file for hosts that do is beside it.
 */
export async function buildSite(
  site: Site,
  folder: string,
  { onProgress, signal }: BuildOptions = {},
): Promise<number> {
  let total = 0, done = 0;
  const write = async (path: string, bytes: Uint8Array) => {
    signal?.throwIfAborted();
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFileAtomically(join(folder, path), [bytes]);
    total += bytes.length;
  };
  for (const [path, open] of site) {
    const bytes = await readAll(await open(), 2 ** 40);
    await write(path, path.endsWith(".html") ? await withPolicy(bytes) : bytes);
    onProgress?.(++done / site.size);
  }
  await write(HEADERS_NAME, new TextEncoder().encode(await headersFile()));
  return total;
}

/** A page that says itself what it may load. */
async function withPolicy(page: Uint8Array): Promise<Uint8Array> {
  const headers = await securityHeaders(page);
  // Only a header can forbid framing.
  const policy = headers["content-security-policy"]!.replace(/; frame-ancestors [^;]*/, "");
  const rule = `<meta http-equiv="Content-Security-Policy" content="${policy}">`;
  const text = new TextDecoder().decode(page);
  return new TextEncoder().encode(text.replace("<head>", `<head>\n    ${rule}`));
}

async function headersFile(): Promise<string> {
  const { "content-security-policy": _, ...headers } = await securityHeaders();
  const lines = Object.entries(headers).map(([name, value]) => `  ${name}: ${value}\n`);
  return `/*\n${lines.join("")}`;
}
