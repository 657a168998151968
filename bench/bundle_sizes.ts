/**
 * How large are the scripts that pages load? Prints the bytes of the bundles that the npm package has in
 * `dist`, and of them as servers send them:
 *
 *     deno run --allow-all bench/bundle_sizes.ts
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { bundleForBrowsers, LIBRARY_BUNDLES } from "../packaging/bundle_for_browsers.ts";
import { printTable } from "./support/theory/table.ts";
import { readOptions } from "./support/command_line.ts";

readOptions({});

const folder = Deno.makeTempDirSync();
bundleForBrowsers(folder, LIBRARY_BUNDLES);
const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} kB`;
printTable(
  ["script", "minified", "by Brotli"],
  Object.keys(LIBRARY_BUNDLES).map((name) => {
    const code = readFileSync(join(folder, name));
    return [`\`${name}\``, kilobytes(code.length), kilobytes(brotliCompressSync(code).length)];
  }),
);
Deno.removeSync(folder, { recursive: true });
