/**
 * Names the folder in which Deno keeps npm packages that pages import from a CDN, for tests that serve
 * them from there: `deno run --allow-all interop/browser_packages.ts`, which downloads them first.
 */
import { fileURLToPath } from "node:url";

/** For the packages to be known; they are for browsers, and not run here. */
export const imports = [() => import("@wllama/wllama"), () => import("@huggingface/transformers")];

const entry = fileURLToPath(import.meta.resolve("@wllama/wllama"));
console.log(entry.slice(0, entry.indexOf("@wllama")));
