/// <reference lib="dom" />
import assert from "node:assert";
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import { type ModelSource, openModel } from "../data/mod.ts";
import { toBase64 } from "../data/base64.ts";
import { readAll } from "../data/byte_source.ts";
import { createLanguageModel, generateText, useBackend } from "../eval/mod.ts";
import { launchChromium } from "../eval/plots/chromium.ts";
import { accessibilityProblems } from "../eval/plots/testdata/accessibility.ts";
import { needsChromium } from "../eval/plots/testdata/needs_chromium.ts";
import type { StateDict } from "../data/tensor.ts";
import { HierarchicalCompressor } from "../hierarchy/mod.ts";
import { hashWeights } from "./weights_hash.ts";
import { serveDemo } from "./serve.ts";
import { demoSite } from "./site.ts";
import { bundle, type Expected, fact, readyExpected, story } from "./testdata/demo_page.ts";

Deno.test("the page decodes to the same bits as Deno and writes the same story", {
  ...needsChromium,
  // Chromium's connections close after the test.
  sanitizeResources: false,
}, async (t) => {
  await bundle();
  const source = await openModel();
  const expected = await readyExpected();
  const stop = new AbortController();
  const site = await demoSite({ models: expected.map(({ model }) => model) });
  const { url, finished } = await serveDemo(site, { port: 0, signal: stop.signal });
  const browser = await launchChromium();
  const requests: string[] = [];
  try {
    const page = await browser.newPage();
    // A busy machine takes its time to start workers.
    page.setDefaultTimeout(120_000);
    page.on("request", (request) => requests.push(request.url()));
    await t.step("two rates, side by side", () => comparesTwoRates(page, url, source, expected));
    await t.step("axe finds nothing, in light and dark", async () => {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await accessibilityProblems(page), []);
      }
    });
    await t.step("all controls fit a phone, and the story is in sight", () => fitsPhone(page));
    await t.step("one model writes alone", () => writesAlone(page));
    await t.step("settings that make no sense", () => refusesSettings(page));
    await t.step("a file of the user's", () => opensOwnFile(page, expected[1]!));
    await t.step("files that are dropped", () => takesDroppedFiles(page, source, expected[1]!));
    await t.step("a model with a chat template answers", () => chats(page, source, expected[1]!));
    await t.step("damaged and foreign files", () => refusesBadFiles(page, expected[0]!));
    await t.step("a story can be stopped", () => stopsStory(page));
    await t.step("a plain module script", () => runsPlainScript(page, url, expected[0]!));
    const elsewhere = requests.filter((request) => !request.startsWith(url));
    assert.deepEqual(elsewhere.filter((request) => !/^(data|blob):/.test(request)), []);
  } finally {
    await browser.close();
    stop.abort();
    await finished;
  }
});

async function comparesTwoRates(
  page: Page,
  url: string,
  source: ModelSource,
  expected: readonly Expected[],
): Promise<void> {
  await page.goto(url);
  // Threads share memory only then.
  assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  for (const [panel, { weights, bytes }] of expected.entries()) {
    assert.equal(await fact(page, panel, "SHA-256"), await hashWeights(weights));
    assert.equal(await fact(page, panel, "parameters"), "4,273,664");
    assert.equal(
      await fact(page, panel, "size"),
      `${(bytes.length / 1e6).toFixed(2)} MB`,
    );
  }
  await page.locator("summary").first().press("Enter");
  await page.fill("#prompt", "The door opened");
  await page.fill("#tokens", "16");
  await page.fill("#temperature", "0");
  // By keyboard: the button is the form's default.
  await page.focus("#seed");
  await page.keyboard.press("Enter");
  await page.locator("#stop:disabled").waitFor();
  await page.locator("summary").first().press("Enter");
  await useBackend("wasm");
  const tokenizer = await source.tokenizer();
  for (const [panel, { weights }] of expected.entries()) {
    const model = createLanguageModel(source.config, weights);
    const options = { maxTokens: 16, temperature: 0 };
    const text = await generateText(model, tokenizer, "The door opened", options);
    model.dispose();
    assert.equal(await story(page, panel), text);
  }
}

async function fitsPhone(page: Page): Promise<void> {
  const before = page.viewportSize()!;
  for (const width of [360, 375, 390]) {
    await page.setViewportSize({ width, height: 800 });
    await page.evaluate(() => scrollTo(0, 0));
    const widest = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(widest <= width, `the page is ${widest} pixels wide`);
    for (const control of ["#prompt", "#write", "#stop", "#chat", ".served", ".story"]) {
      const box = (await page.locator(control).first().boundingBox())!;
      assert.ok(box.x >= 0 && box.x + box.width <= width, control);
      assert.ok(box.y >= 0 && box.y < 800, `${control} begins at ${box.y}`);
    }
    await showsWhole(page);
    // Fingers are larger than pointers.
    for (const control of await page.locator("button:visible, select:visible").all()) {
      const { height } = (await control.boundingBox())!;
      assert.ok(height >= 40, `${await control.textContent()}: ${height} pixels high`);
    }
  }
  await page.setViewportSize(before);
}

/** Nothing of the figures and of what computes is cut off. */
async function showsWhole(page: Page): Promise<void> {
  const settings = page.locator("#settings");
  await settings.evaluate((details: HTMLDetailsElement) => details.open = true);
  const [width, wanted] = await page.locator("#engine").evaluate((select: HTMLSelectElement) => {
    const copy = select.cloneNode(true) as HTMLSelectElement;
    copy.style.width = "max-content";
    select.after(copy);
    const widths = [select.offsetWidth, copy.offsetWidth] as const;
    copy.remove();
    return widths;
  });
  await settings.evaluate((details: HTMLDetailsElement) => details.open = false);
  assert.ok(width >= wanted, `#engine is ${width} pixels wide, not ${wanted}`);
  const cut = await page.locator(".figures dd").evaluateAll((values) =>
    values.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
      .map(({ textContent }) => textContent)
  );
  assert.deepEqual(cut, []);
}

async function writesAlone(page: Page): Promise<void> {
  const before = await story(page, 0);
  await page.fill("#prompt", "A ship");
  await page.locator(".write-this").nth(1).click();
  await page.locator(".panel").nth(1).locator(".activity").filter({ hasText: /^16 tokens in/ })
    .waitFor();
  assert.equal(await story(page, 0), before);
  assert.match((await page.locator(".panel").nth(1).locator(".story").textContent())!, /^A ship/);
  assert.ok(Number(await page.locator(".speed").nth(1).textContent()) > 0);
}

async function refusesSettings(page: Page): Promise<void> {
  await page.locator("summary").first().press("Enter");
  const temperature = page.locator("#temperature");
  for (const text of ["", "-1", "warm", "1e9"]) {
    await temperature.fill(text);
    await page.click("#write");
    await page.locator("#form-error:visible").filter({ hasText: /^Temperature: give a number/ })
      .waitFor();
    assert.equal(await temperature.getAttribute("aria-invalid"), "true");
    assert.ok(await temperature.evaluate((input) => input === document.activeElement));
    assert.deepEqual(await accessibilityProblems(page), []);
  }
  await temperature.fill("0,85");
  await page.fill("#prompt", " ");
  await page.click("#write");
  await page.locator("#form-error:visible").filter({ hasText: "Write a beginning first" })
    .waitFor();
  await page.fill("#prompt", "The door opened");
  await page.click("#write");
  await page.locator("#form-error").waitFor({ state: "hidden" });
  await page.locator("#stop:disabled").waitFor();
}

async function takesDroppedFiles(
  page: Page,
  source: ModelSource,
  { bytes, weights }: Expected,
): Promise<void> {
  const tokenizer = source.companions.find(({ name }) => name.endsWith("/tokenizer.json"))!;
  const dropped = [
    ["dropped.kan.safetensors", toBase64(bytes)],
    ["tokenizer (1).json", toBase64(await readAll(tokenizer))],
  ];
  const data = await page.evaluateHandle((files) => {
    const transfer = new DataTransfer();
    for (const [name, base64] of files) {
      const bytes = Uint8Array.from(atob(base64!), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], name!));
    }
    return transfer;
  }, dropped);
  const panel = page.locator(".panel").nth(1);
  await panel.dispatchEvent("drop", { dataTransfer: data });
  await panel.locator("dd:text-is('dropped.kan.safetensors')").waitFor({ state: "attached" });
  assert.equal(await fact(page, 1, "SHA-256"), await hashWeights(weights));
}

async function opensOwnFile(page: Page, { bytes, weights }: Expected): Promise<void> {
  const panel = page.locator(".panel").first();
  await panel.locator("input[type=file]").setInputFiles([file("mine.kan.safetensors", bytes)]);
  await panel.locator("dd:text-is('mine.kan.safetensors')").waitFor({ state: "attached" });
  assert.equal(await fact(page, 0, "SHA-256"), await hashWeights(weights));
}

async function chats(page: Page, source: ModelSource, { bytes, weights }: Expected): Promise<void> {
  assert.equal(await page.locator("#chat").isDisabled(), true);
  const template = "{{ messages[0].content }} and{% if add_generation_prompt %} then{% endif %}";
  const tokenizer = source.companions.find(({ name }) => name.endsWith("/tokenizer.json"))!;
  const panel = page.locator(".panel").first();
  await panel.locator("input[type=file]").setInputFiles([
    file("mine.kan.safetensors", bytes),
    file("tokenizer.json", await readAll(tokenizer)),
    file("chat_template.jinja", new TextEncoder().encode(template)),
  ]);
  await page.locator("#chat:enabled").waitFor();
  assert.equal(await page.locator("#chat").isChecked(), true);
  await page.fill("#prompt", "She opened the door");
  await page.fill("#tokens", "5");
  await page.fill("#temperature", "0");
  await page.click("#write");
  await panel.locator(".activity").filter({ hasText: /^5 tokens in/ }).waitFor();
  await useBackend("wasm");
  const model = createLanguageModel(source.config, weights);
  const expected = await generateText(
    model,
    await source.tokenizer(),
    "She opened the door and then",
    { temperature: 0, maxTokens: 5 },
  );
  model.dispose();
  assert.equal(await story(page, 0), expected);
  assert.equal(await panel.locator(".story .prompt").textContent(), "She opened the door\n\n");
}

async function refusesBadFiles(page: Page, { bytes }: Expected): Promise<void> {
  const flipped = bytes.slice();
  flipped[flipped.length - 1000]! ^= 1;
  const cases: [string, Uint8Array, RegExp][] = [
    ["flipped.kan.safetensors", flipped, /^flipped.kan.safetensors: stream .* is damaged/],
    ["short.kan.safetensors", bytes.slice(0, 5000), /^short.kan.safetensors: /],
    ["text.safetensors", new TextEncoder().encode("once upon a time"), /^text.safetensors: /],
    ["notes.json", new TextEncoder().encode("{}"), /^notes.json: is not a file of a compressed/],
    ["foreign.kan.safetensors", await foreignModel(), /^foreign.kan.*: has no tokenizer; choose/],
  ];
  const panel = page.locator(".panel").first();
  for (const [name, content, message] of cases) {
    await panel.locator("input[type=file]").setInputFiles([file(name, content)]);
    await panel.locator(".error:visible").filter({ hasText: message }).waitFor();
    assert.equal(await panel.locator(".about").isVisible(), false);
  }
  const tokenizers: [string, RegExp][] = [
    ["once upon", /^tokenizer.json: is not valid JSON/],
    ["{}", /^tokenizer.json: model should be an object/],
  ];
  for (const [content, message] of tokenizers) {
    await panel.locator("input[type=file]").setInputFiles([
      file("mine.kan.safetensors", bytes),
      file("tokenizer.json", new TextEncoder().encode(content)),
    ]);
    await panel.locator(".error:visible").filter({ hasText: message }).waitFor();
  }
  await panel.locator("select").selectOption("0");
  await panel.locator(".about:visible").waitFor();
  assert.equal(await panel.locator(".error").isVisible(), false);
}

/** A sound file of another kind of model than those of the site, which cannot lend their tokenizer. */
async function foreignModel(): Promise<Uint8Array> {
  const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i));
  const weights = new Map([["w", { dtype: "F32" as const, shape: [64, 64], data }]]);
  const config = { model_type: "gpt2", vocab_size: 64 };
  return (await new HierarchicalCompressor({ bits: 6 }).compress(weights, { config })).bytes;
}

function file(name: string, bytes: Uint8Array) {
  // Playwright asks for Node's Buffer.
  return { name, mimeType: "application/octet-stream", buffer: Buffer.from(bytes) };
}

async function stopsStory(page: Page): Promise<void> {
  await page.fill("#tokens", "2000");
  await page.fill("#temperature", "1");
  await page.click("#write");
  await page.locator(".story .text:not(:empty)").first().waitFor();
  await page.click("#stop");
  await page.locator("#stop:disabled").waitFor();
  const written = await page.locator(".activity").first().textContent();
  assert.ok(Number.parseInt(written!.replace(",", "")) < 2000, written!);
}

async function runsPlainScript(page: Page, url: string, { weights }: Expected): Promise<void> {
  await page.goto(new URL("plain.html", url).href);
  await page.locator("#weights li").nth(weights.size - 1).waitFor();
  const found = await page.evaluate(async () => {
    const { decompressWeights } = await import(new URL("decompress.js", location.href).href);
    const bytes = await (await fetch("models/0/model.kan.safetensors")).arrayBuffer();
    const restored: StateDict = await decompressWeights(new Uint8Array(bytes));
    return await Promise.all(Array.from(restored, async ([name, { data }]) => {
      const digest = await crypto.subtle.digest("SHA-256", data as Float32Array<ArrayBuffer>);
      return [name, new Uint8Array(digest).join()];
    }));
  });
  const expected = await Promise.all(Array.from(weights, async ([name, { data }]) => {
    const digest = await crypto.subtle.digest("SHA-256", data as Float32Array<ArrayBuffer>);
    return [name, new Uint8Array(digest).join()];
  }));
  assert.deepEqual(found, expected);
}
