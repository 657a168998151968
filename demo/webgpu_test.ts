/// <reference lib="dom" />
import assert from "node:assert";
import { openModel } from "../data/mod.ts";
import { createLanguageModel, generateText, useBackend } from "../eval/mod.ts";
import { launchChromium } from "../eval/plots/chromium.ts";
import { needsChromiumWebGpu, WEBGPU_FLAGS } from "../eval/plots/testdata/needs_chromium_webgpu.ts";
import { hashWeights } from "./weights_hash.ts";
import { serveDemo } from "./serve.ts";
import { demoSite } from "./site.ts";
import { bundle, type Expected, fact, readyExpected, story } from "./testdata/demo_page.ts";

const TOKENS = 3;

Deno.test("the page computes on WebGPU and writes the story of WASM", {
  ...needsChromiumWebGpu,
  // Chromium's connections close after the test.
  sanitizeResources: false,
}, async () => {
  await bundle();
  const source = await openModel();
  const [{ model, weights }] = await readyExpected() as [Expected, Expected];
  const stop = new AbortController();
  const { url, finished } = await serveDemo(await demoSite({ models: [model] }), {
    port: 0,
    signal: stop.signal,
  });
  const browser = await launchChromium(WEBGPU_FLAGS);
  try {
    const page = await browser.newPage();
    // An adapter in software takes seconds for a token where other programs run too.
    page.setDefaultTimeout(300_000);
    await page.goto(url);
    assert.match((await fact(page, 0, "started in"))!, /on WASM$/);
    await page.locator("#settings").evaluate((details: HTMLDetailsElement) => details.open = true);
    await page.selectOption("#engine", "webgpu");
    const panel = page.locator(".panel").first();
    await panel.locator(".facts dd").filter({ hasText: "on WebGPU" }).waitFor({
      state: "attached",
    });
    assert.equal(await fact(page, 0, "SHA-256"), await hashWeights(weights));
    await page.fill("#prompt", "The door opened");
    await page.fill("#tokens", String(TOKENS));
    await page.fill("#temperature", "0");
    await page.click("#write");
    await panel.locator(".activity").filter({ hasText: / tokens in / }).waitFor();
    await useBackend("wasm");
    const reference = createLanguageModel(source.config, weights);
    const options = { maxTokens: TOKENS, temperature: 0 };
    const tokenizer = await source.tokenizer();
    const expected = await generateText(reference, tokenizer, "The door opened", options);
    reference.dispose();
    assert.equal(await story(page, 0), expected);
  } finally {
    await browser.close();
    stop.abort();
    await finished;
  }
});
