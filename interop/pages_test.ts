/// <reference lib="dom" />
import assert from "node:assert";
import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { embeddedModelPath, openModel } from "../data/mod.ts";
import { readStateDict } from "../eval/mod.ts";
import { launchChromium } from "../eval/plots/chromium.ts";
import { accessibilityProblems } from "../eval/plots/testdata/accessibility.ts";
import { needsChromium } from "../eval/plots/testdata/needs_chromium.ts";
import { HierarchicalCompressor } from "../hierarchy/mod.ts";
import { buildExamples } from "../packaging/build_examples.ts";
import { needsBrowserPackages, servePackages } from "./serve_packages.ts";
import recorded from "./testdata/continuations.json" with { type: "json" };

const STORIES = fileURLToPath(new URL("../../shared/models/stories260K", import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
};

/** A folder with the pages and a model, compressed so little that it writes what the original does. */
async function site(model: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  const source = await openModel(model);
  const { bytes } = await new HierarchicalCompressor({ bits: 8, effort: "fast" })
    .compress(await readStateDict(source), { config: source.config });
  const small = join(folder, "small"), out = join(folder, "site");
  await Deno.mkdir(small);
  await Deno.writeFile(join(small, "model.kan.safetensors"), bytes);
  for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json"]) {
    await Deno.copyFile(join(model, name), join(small, name));
  }
  buildExamples(small, out);
  return out;
}

/** A static host. */
function serve(folder: string): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const path = join(folder, new URL(request.url).pathname);
    if (!existsSync(path)) return new Response(undefined, { status: 404 });
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    return new Response(readFileSync(path), { headers: { "content-type": type } });
  });
}

/** Opens a page, once its model is loaded. */
async function open(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 360, height: 800 } });
  // A busy machine takes its time.
  page.setDefaultTimeout(120_000);
  await servePackages(page);
  await page.goto(url);
  await page.waitForFunction(() =>
    !document.querySelector<HTMLButtonElement>("#write")!.disabled ||
    document.getElementById("error")!.textContent !== ""
  );
  assert.equal(await page.locator("#error").textContent(), "");
  return page;
}

/** What a page makes of a prompt. */
async function continued(page: Page, prompt: string): Promise<string> {
  await page.fill("#prompt", prompt);
  await page.click("#write");
  await page.waitForFunction(() => document.body.dataset.written === "1");
  assert.equal(await page.locator("#error").textContent(), "");
  return (await page.locator("#story").textContent())!;
}

const models = { "prose-4m": embeddedModelPath(), "stories260K": STORIES };

for (const [name, path] of Object.entries(models)) {
  Deno.test({
    name: `pages with transformers.js and wllama write what transformers does with ${name}`,
    ignore: needsChromium.ignore || needsBrowserPackages.ignore || !existsSync(path),
    // Chromium's connections close after the test.
    sanitizeResources: false,
    async fn(t) {
      const { prompt, text } = recorded.models[name as keyof typeof recorded.models];
      const folder = await site(path);
      const server = serve(folder);
      const browser = await launchChromium();
      const url = (page: string, type: string) =>
        `http://127.0.0.1:${server.addr.port}/${page}.html?type=${type}&tokens=${recorded.tokens}`;
      try {
        for (const type of ["q8", "int8", "f16", "f32"]) {
          await t.step(`transformers.js, ${type}`, async () => {
            const page = await open(browser, url("transformers_js", type));
            assert.equal(await continued(page, prompt), text);
            if (type === "q8") assert.deepEqual(await accessibilityProblems(page), []);
            await page.close();
          });
        }
        await t.step("wllama", async () => {
          const page = await open(browser, url("wllama", "f32"));
          assert.equal(await continued(page, prompt), text);
          assert.deepEqual(await accessibilityProblems(page), []);
          await page.close();
        });
        await t.step("a file that is damaged is said to be, and nothing is written", async () => {
          const file = join(folder, "model/model.kan.safetensors");
          const bytes = await Deno.readFile(file);
          bytes[bytes.length - 100]! ^= 1;
          await Deno.writeFile(file, bytes);
          const page = await browser.newPage();
          await servePackages(page);
          await page.goto(url("wllama", "q8_0"));
          await page.waitForFunction(() => document.getElementById("error")!.textContent !== "");
          assert.match((await page.locator("#error").textContent())!, /damaged/);
        });
      } finally {
        await browser.close();
        await server.shutdown();
        await Deno.remove(join(folder, ".."), { recursive: true });
      }
    },
  });
}
