import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";

const SCRIPT = fileURLToPath(new URL("./browser_packages.ts", import.meta.url));
const CDN = /^https:\/\/cdn\.jsdelivr\.net\/npm\/((?:@[^/]+\/)?[^/@]+)@([^/]+)\/([^?#]+)$/;
const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
};

/** The folder of the packages that pages import from a CDN; undefined if they were not downloaded. */
async function packageFolder(): Promise<string | undefined> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--cached-only", "--allow-all", SCRIPT],
    stderr: "null",
  }).output();
  return success ? new TextDecoder().decode(stdout).trim() : undefined;
}

const folder = await packageFolder();
const required = Deno.env.get("KANPRESS_REQUIRE_ALL") === "1";
if (folder === undefined && !required) {
  console.warn(
    "skipping tests of pages with wllama and transformers.js: `deno run --allow-all " +
      "interop/browser_packages.ts` downloads them",
  );
}

/** Options of a test that needs the packages: left out without them, unless everything must run. */
export const needsBrowserPackages: { readonly ignore: boolean } = {
  ignore: folder === undefined && !required,
};

/** Lets a page have from this machine what it asks a CDN for. */
export async function servePackages(page: Page): Promise<void> {
  await page.route(CDN, async (route) => {
    const [, name, version, path] = CDN.exec(route.request().url())!;
    await route.fulfill({
      path: join(folder!, name!, version!, path!),
      contentType: TYPES[path!.split(".").at(-1)!] ?? "application/octet-stream",
      headers: {
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
      },
    });
  });
}
