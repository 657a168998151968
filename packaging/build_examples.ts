/**
 * `deno task examples MODEL FOLDER`: writes the example pages with all that they need of kanpress, and
 * a compressed model, into a folder that any static host can serve.
 *
 * @module
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bundleForBrowsers, LIBRARY_BUNDLES } from "./bundle_for_browsers.ts";

const PAGES = fileURLToPath(new URL("../examples", import.meta.url));
/** The compressed weights in a folder that `compress` wrote. */
const WEIGHTS = "model.kan.safetensors";

/** Writes the pages and a model, of the folder that `compress` wrote, into a folder. */
export function buildExamples(model: string, folder: string): void {
  bundleForBrowsers(folder, LIBRARY_BUNDLES);
  for (const name of readdirSync(PAGES)) copyFileSync(join(PAGES, name), join(folder, name));
  const place = join(folder, "model");
  mkdirSync(place, { recursive: true });
  for (const name of readdirSync(model)) copyFileSync(join(model, name), join(place, name));
}

if (import.meta.main) {
  const [model, folder] = Deno.args;
  if (model === undefined || folder === undefined || !existsSync(join(model, WEIGHTS))) {
    console.error(
      "usage: deno task examples MODEL FOLDER, where MODEL is a folder that compress wrote, with " +
        `${WEIGHTS} in it`,
    );
    process.exit(1);
  }
  buildExamples(model, folder);
  console.log(
    `wllama.html and transformers_js.html are in ${folder}; serve it, for instance with\n` +
      `python3 -m http.server -d ${folder}`,
  );
}
