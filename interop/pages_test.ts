/// <reference lib="dom" />
import assert from "node:assert";
import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { embeddedModelPath, openModel } from "../data/mod.ts";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { createLanguageModel, generateText, readStateDict, useBackend } from "../eval/mod.ts";
import { launchChromium } from "../eval/plots/chromium.ts";
import { accessibilityProblems } from "../eval/plots/testdata/accessibility.ts";
import { needsChromium } from "../eval/plots/testdata/needs_chromium.ts";
import { decompressWeights, HierarchicalCompressor } from "../hierarchy/mod.ts";
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

/** The pages and a model in a new folder, and what our own engine makes of a prompt with it. */
async function site(
  folder: string,
  path: string,
  bits: number,
  prompt: string,
): Promise<{ folder: string; text: string }> {
  const source = await openModel(path);
  const { bytes } = await new HierarchicalCompressor({ bits, effort: "fast" })
    .compress(await readStateDict(source), { config: source.config });
  const small = join(folder, "small"), out = join(folder, "site");
  await Deno.mkdir(small, { recursive: true });
  await Deno.writeFile(join(small, "model.kan.safetensors"), bytes);
  for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json"]) {
    await Deno.copyFile(join(path, name), join(small, name));
  }
  buildExamples(small, out);
  await useBackend("wasm");
  const model = createLanguageModel(source.config, await decompressWeights(bytes));
  const options = { temperature: 0, maxTokens: recorded.tokens };
  const added = await generateText(model, await source.tokenizer(), prompt, options);
  model.dispose();
  return { folder: out, text: (prompt + added).trimEnd() };
}

/** A static host of folders by their names. */
function serve(folders: Readonly<Record<string, string>>): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const [, folder, ...rest] = new URL(request.url).pathname.split("/");
    const path = join(folders[folder!] ?? "nowhere", ...rest);
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

/** Megabytes of the ONNX file that a page made. */
async function onnxSize(page: Page): Promise<number> {
  return parseFloat((await page.locator('dt:text-is("ONNX") + dd').textContent())!);
}

const models = { "prose-4m": embeddedModelPath(), "stories260K": STORIES };
/** So many that a model writes what its original does, and so few that its integers fit bytes. */
const MANY_BITS = 8, FEW_BITS = 5;

for (const [name, path] of Object.entries(models)) {
  Deno.test({
    name: `pages with transformers.js and wllama write what transformers does with ${name}`,
    ignore: needsChromium.ignore || needsBrowserPackages.ignore || !existsSync(path),
    // Chromium's connections close after the test.
    sanitizeResources: false,
    async fn(t) {
      const { prompt, text } = recorded.models[name as keyof typeof recorded.models];
      using folder = new TemporaryFolder();
      const many = await site(join(folder.path, "many"), path, MANY_BITS, prompt);
      const few = await site(join(folder.path, "few"), path, FEW_BITS, prompt);
      assert.equal(many.text, text);
      const server = serve({ many: many.folder, few: few.folder });
      const browser = await launchChromium();
      const url = (bits: "many" | "few", page: string, type: string) =>
        `http://127.0.0.1:${server.addr.port}/${bits}/${page}.html?type=${type}&tokens=${recorded.tokens}`;
      try {
        for (const type of ["f32", "f16"]) {
          await t.step(`transformers.js, ${type}`, async () => {
            const page = await open(browser, url("many", "transformers_js", type));
            assert.equal(await continued(page, prompt), text);
            await page.close();
          });
        }
        for (const type of ["q8", "int8"]) {
          await t.step(`transformers.js, ${type}, what the decoded weights do`, async () => {
            const page = await open(browser, url("few", "transformers_js", type));
            assert.equal((await continued(page, prompt)).trimEnd(), few.text);
            // A byte for each of the weights.
            const { size } = await Deno.stat(join(path, "model.safetensors"));
            const weights = size / (name === "prose-4m" ? 2 : 4);
            assert.ok(await onnxSize(page) < 1.3 * weights / 1e6, `${await onnxSize(page)} MB`);
            if (type === "q8") assert.deepEqual(await accessibilityProblems(page), []);
            await page.close();
          });
        }
        await t.step("wllama", async () => {
          const page = await open(browser, url("many", "wllama", "f32"));
          assert.equal(await continued(page, prompt), text);
          assert.deepEqual(await accessibilityProblems(page), []);
          await page.close();
        });
        await t.step("a file that is damaged is said to be, and nothing is written", async () => {
          const file = join(many.folder, "model/model.kan.safetensors");
          const bytes = await Deno.readFile(file);
          bytes[bytes.length - 100]! ^= 1;
          await Deno.writeFile(file, bytes);
          const page = await browser.newPage();
          await servePackages(page);
          await page.goto(url("many", "wllama", "q8_0"));
          await page.waitForFunction(() => document.getElementById("error")!.textContent !== "");
          assert.match((await page.locator("#error").textContent())!, /damaged/);
        });
      } finally {
        await browser.close();
        await server.shutdown();
      }
    },
  });
}
