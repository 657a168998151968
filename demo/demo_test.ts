/// <reference lib="dom" />
import assert from "node:assert";
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import { errorLines, interruptCommandLine, runCommandLine } from "../cli/testdata/command_line.ts";
import { withWorkFolder } from "../cli/testdata/work_folder.ts";
import { InputError, type ModelSource, openModel } from "../data/mod.ts";
import { readAll } from "../data/byte_source.ts";
import { memorySource } from "../data/memory_source.ts";
import { createLanguageModel, generateText, useBackend } from "../eval/mod.ts";
import { launchChromium } from "../eval/plots/chromium.ts";
import { accessibilityProblems } from "../eval/plots/testdata/accessibility.ts";
import { needsChromium } from "../eval/plots/testdata/needs_chromium.ts";
import type { StateDict } from "../data/tensor.ts";
import { hashWeights } from "./hash_weights.ts";
import { serveDemo } from "./serve.ts";
import { bundle, compressed, type Expected, fact, story } from "./testdata/demo_page.ts";

Deno.test("the page decodes to the same bits as Deno and writes the same story", {
  ...needsChromium,
  // Chromium's connections close after the test.
  sanitizeResources: false,
}, async (t) => {
  await bundle();
  const source = await openModel();
  const expected = [await compressed(source, 4), await compressed(source, 2.5)];
  const stop = new AbortController();
  const { url, finished } = await serveDemo(expected.map(({ model }) => model), {
    port: 0,
    signal: stop.signal,
  });
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
    await t.step("nothing is wider than a phone", () => fitsPhone(page));
    await t.step("a file of the user's", () => opensOwnFile(page, expected[1]!));
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

Deno.test("the server gives nothing but the page's files", async () => {
  await bundle();
  const stop = new AbortController();
  const gone = memorySource(new Uint8Array(4), "gone.kan.safetensors");
  gone.read = () => Promise.reject(new InputError("gone.kan.safetensors: does not exist"));
  const broken = memorySource(new Uint8Array(4), "tokenizer.json");
  broken.read = () => Promise.reject(new TypeError("a fault"));
  const models = [{ name: "gone", source: gone, tokenizer: broken }];
  const { url, finished } = await serveDemo(models, { port: 0, signal: stop.signal });
  const statusOf = async (path: string, init?: RequestInit) => {
    const response = await fetch(new URL(path, url), init);
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await statusOf("models.json"), 200);
  assert.equal(await statusOf("serve.ts"), 404);
  assert.equal(await statusOf("%2e%2e/deno.json"), 404);
  assert.equal(await statusOf("", { method: "POST" }), 405);
  await everyAnswerIsGuarded(url);
  await assert.rejects(
    serveDemo([], { port: Number(new URL(url).port), signal: stop.signal }),
    /port \d+ is taken/,
  );
  await assert.rejects(
    serveDemo([], { port: 0, signal: stop.signal, scripts: new URL("missing/", import.meta.url) }),
    /not bundled; run deno task demo/,
  );
  stop.abort();
  await finished;
});

/** fetch() sets the header Host itself, so these requests are written by hand. */
async function answerTo(url: string, path: string, host: string, method = "GET"): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const request = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  return await new Response(connection.readable).text();
}

async function everyAnswerIsGuarded(url: string): Promise<void> {
  const { port } = new URL(url);
  const answers: [string, string, string, RegExp][] = [
    ["/", `127.0.0.1:${port}`, "GET", /^HTTP\/1.1 200/],
    ["/", `localhost:${port}`, "GET", /^HTTP\/1.1 200/],
    ["/app.js", `127.0.0.1:${port}`, "GET", /^HTTP\/1.1 200/],
    ["/models.json", `127.0.0.1:${port}`, "GET", /^HTTP\/1.1 200/],
    ["/models.json", `127.0.0.1:${port}`, "POST", /^HTTP\/1.1 405/],
    ["/none", `127.0.0.1:${port}`, "GET", /^HTTP\/1.1 404/],
    ["/models/0/model.kan.safetensors", `127.0.0.1:${port}`, "GET", /^HTTP\/1.1 500/],
    ["/models/0/tokenizer.json", `127.0.0.1:${port}`, "GET", /^HTTP\/1.1 500/],
    // A page elsewhere whose name leads to this machine.
    ["/models.json", `rebound.example:${port}`, "GET", /^HTTP\/1.1 421/],
    ["/", "rebound.example", "GET", /^HTTP\/1.1 421/],
    ["/", "127.0.0.1", "GET", /^HTTP\/1.1 421/],
  ];
  for (const [path, host, method, expected] of answers) {
    const [head = "", body = ""] = (await answerTo(url, path, host, method)).split("\r\n\r\n");
    assert.match(head, expected, `${method} ${path} of ${host}`);
    assert.match(head, /^content-security-policy: .*default-src 'self'.*frame-ancestors 'none'/m);
    assert.match(head, /^x-content-type-options: nosniff/m);
    assert.match(head, /^x-frame-options: DENY/m);
    if (!/ 200/.test(head)) assert.ok(!body.includes("["), body);
  }
}

Deno.test("the server ends by Ctrl-C, as it says, without an error", () =>
  withWorkFolder(async (folder) => {
    const make = ["compress", "model", "--text", "text.txt", "--data-free", "--out", "out"];
    assert.equal((await runCommandLine(make, { cwd: folder })).code, 0);
    await bundle();
    const { code, error } = await interruptCommandLine(
      ["demo", "out", "--port", "0"],
      folder,
      /Ctrl-C ends the server/,
      "SIGINT",
      { task: "demo" },
    );
    assert.equal(code, 0, error);
    assert.equal(errorLines(error).at(-1), "the server has ended");
  }));

Deno.test("the hash of weights changes with names, shapes and values", async () => {
  const weights = (name: string, shape: number[], ...values: number[]): StateDict =>
    new Map([[name, { dtype: "F32", shape, data: Float32Array.from(values) }]]);
  const hashes = await Promise.all([
    weights("a", [2], 1, 2),
    weights("b", [2], 1, 2),
    weights("a", [1, 2], 1, 2),
    weights("a", [2], 1, 3),
  ].map(hashWeights));
  assert.equal(new Set(hashes).size, 4);
  assert.equal(await hashWeights(weights("a", [2], 1, 2)), hashes[0]);
});

async function comparesTwoRates(
  page: Page,
  url: string,
  source: ModelSource,
  expected: readonly Expected[],
): Promise<void> {
  await page.goto(url);
  for (const [panel, { weights, bytes }] of expected.entries()) {
    assert.equal(await fact(page, panel, "SHA-256"), await hashWeights(weights));
    assert.equal(await fact(page, panel, "parameters"), "4,273,664");
    assert.equal(
      await fact(page, panel, "size"),
      `${(bytes.length / 1e6).toFixed(2)} MB`,
    );
  }
  await page.fill("#prompt", "The door opened");
  await page.fill("#tokens", "16");
  await page.fill("#temperature", "0");
  // By keyboard: the button is the form's default.
  await page.focus("#seed");
  await page.keyboard.press("Enter");
  await page.locator("#write:enabled").waitFor();
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
  const wide = page.viewportSize()!;
  await page.setViewportSize({ width: 375, height: 800 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 375, `the page is ${width} pixels wide`);
  await page.setViewportSize(wide);
}

async function opensOwnFile(page: Page, { bytes, weights }: Expected): Promise<void> {
  const panel = page.locator(".panel").first();
  await panel.locator("input[type=file]").setInputFiles([file("mine.kan.safetensors", bytes)]);
  await panel.locator("dd:text-is('mine.kan.safetensors')").waitFor();
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
    ["notes.json", new TextEncoder().encode("{}"), /choose one/],
  ];
  const panel = page.locator(".panel").first();
  for (const [name, content, message] of cases) {
    await panel.locator("input[type=file]").setInputFiles([file(name, content)]);
    await panel.locator(".error:visible").filter({ hasText: message }).waitFor();
    assert.equal(await panel.locator(".facts").isVisible(), false);
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
  await panel.locator(".facts:visible").waitFor();
  assert.equal(await panel.locator(".error").isVisible(), false);
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
  await page.locator("#write:enabled").waitFor();
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
