/**
 * `deno task demo:bundle`: bundles what browsers import, each entry as one file, into a folder. Workers
 * are beside the files that start them.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Bundles by name, and the source of each. */
export type Bundles = Readonly<Record<string, string>>;

/** What the demo's pages import. */
export const DEMO_BUNDLES: Bundles = {
  "app.js": "demo/page/app.ts",
  "model_worker.js": "demo/page/model_worker.ts",
  "tfjs_engine.js": "demo/page/tfjs_engine.ts",
  "decompress.js": "hierarchy/decompress.ts",
  "download.js": "hierarchy/download.ts",
  "decode_worker.js": "hierarchy/streaming/decode_worker.ts",
  "team_worker.js": "eval/wasm/team_worker.ts",
};

/** What pages without a bundler import of the library. */
export const LIBRARY_BUNDLES: Bundles = {
  "decompress.js": "hierarchy/decompress.ts",
  "download.js": "hierarchy/download.ts",
  "decode_worker.js": "hierarchy/streaming/decode_worker.ts",
  "gguf.js": "gguf/mod.ts",
  "onnx.js": "eval/onnx/mod.ts",
};

/** The module of a worker, in the words that bundlers know. */
export const WORKER_MODULE = /new URL\("(\.[^"]*)\.ts", ?import\.meta\.url\)/g;

/** Writes bundles, those of the demo if omitted, into a folder, which is made. */
export function bundleForBrowsers(folder: string, bundles: Bundles = DEMO_BUNDLES): void {
  const work = mkdtempSync(join(tmpdir(), "kanpress-bundles-"));
  try {
    const entries = Object.values(bundles);
    const args = [
      "bundle",
      "-q",
      "--platform",
      "browser",
      "--minify",
      "--outdir",
      work,
      ...entries,
    ];
    execFileSync(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
    mkdirSync(folder, { recursive: true });
    for (const [name, entry] of Object.entries(bundles)) {
      const code = readFileSync(join(work, entry.replace(/ts$/, "js")), "utf8");
      const renamed = code.replaceAll(WORKER_MODULE, 'new URL("$1.js",import.meta.url)');
      writeFileSync(join(folder, name), renamed);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (import.meta.main) bundleForBrowsers(Deno.args[0] ?? join(ROOT, "demo/dist"));
