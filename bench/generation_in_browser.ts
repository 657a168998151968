/**
 * How fast does the compressed model in FOLDER, a ready one of the demo if it is left out, write one
 * sequence in Chromium, beside others' engines? By
 * the demo's page (from its integers), by wllama (llama.cpp, Q8_0) and by transformers.js (ONNX Runtime, 8
 * bits), which the example pages expand it for, in one run. `--tokens N` are timed, `--rounds N` times, and
 * the best counts. Needs Chromium and the packages that interop/browser_packages.ts downloads.
 *
 *     deno run --allow-all bench/generation_in_browser.ts [FOLDER]
 *
 * @module
 */
/// <reference lib="dom" />
import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../eval/plots/chromium.ts";
import { servePackages } from "../interop/serve_packages.ts";
import { buildExamples } from "../packaging/build_examples.ts";
import { endFor, readCommandLine } from "./support/command_line.ts";
import { printTable } from "./support/theory/table.ts";

/** Tokens of a short text; that many fewer than those of a long one are timed, without the prompt. */
const SHORT = 8;
const PROMPT = "Once upon a time";
const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** A static host, whose pages may share memory between their threads. */
function serve(folder: string): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const path = join(folder, decodeURIComponent(new URL(request.url).pathname));
    if (!existsSync(path)) return new Response(undefined, { status: 404 });
    return new Response(readFileSync(path), {
      headers: {
        "content-type": TYPES[extname(path)] ?? "application/octet-stream",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      },
    });
  });
}

/** A page with a model, ready to write so many tokens: gives the seconds. */
interface Writer {
  readonly name: string;
  write(tokens: number): Promise<number>;
}

async function openPage(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(480_000);
  await servePackages(page);
  await page.goto(url);
  return page;
}

async function exampleWriter(
  browser: Browser,
  name: string,
  url: string,
  type: string,
): Promise<Writer> {
  const page = await openPage(browser, `${url}?type=${type}`);
  await page.waitForFunction(() =>
    !document.querySelector<HTMLButtonElement>("#write")!.disabled ||
    document.getElementById("error")!.textContent !== ""
  );
  await page.fill("#prompt", PROMPT);
  return {
    name,
    write: (tokens) =>
      page.evaluate(async ([type, tokens]) => {
        history.replaceState(null, "", `?type=${type}&tokens=${tokens}`);
        delete document.body.dataset.written;
        const start = performance.now();
        document.querySelector<HTMLButtonElement>("#write")!.click();
        while (document.body.dataset.written === undefined) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        return (performance.now() - start) / 1000;
      }, [type, tokens] as const),
  };
}

async function demoWriter(browser: Browser, url: string): Promise<Writer> {
  const page = await openPage(browser, url);
  const write = page.locator("#write");
  await write.waitFor({ state: "visible" });
  await page.waitForFunction(() => !document.querySelector<HTMLButtonElement>("#write")!.disabled);
  await page.fill("#prompt", PROMPT);
  // It is among the settings that are folded up.
  await page.evaluate(() => document.querySelector<HTMLInputElement>("#temperature")!.value = "0");
  return {
    name: "kanpress, integers",
    async write(tokens) {
      return await page.evaluate(async (tokens) => {
        document.querySelector<HTMLInputElement>("#tokens")!.value = String(tokens);
        const button = document.querySelector<HTMLButtonElement>("#write")!;
        const start = performance.now();
        button.click();
        do await new Promise((resolve) => setTimeout(resolve, 5)); while (button.disabled);
        return (performance.now() - start) / 1000;
      }, tokens);
    },
  };
}

const READY = fileURLToPath(new URL("../demo/models/prose-4m-4bit", import.meta.url));
const { values, words: [folder = READY] } = readCommandLine({
  tokens: { type: "string", default: "48" },
  rounds: { type: "string", default: "3" },
}, { words: ["FOLDER"] });
const tokens = Number(values.tokens), rounds = Number(values.rounds);
const site = await Deno.makeTempDir();
const { success, stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["task", "--quiet", "demo", folder, "--build", join(site, "demo")],
  cwd: fileURLToPath(new URL("..", import.meta.url)),
  stdout: "null",
}).output();
if (!success) endFor(new TextDecoder().decode(stderr).trim());
buildExamples(folder, join(site, "examples"));
const server = serve(site);
const url = `http://127.0.0.1:${server.addr.port}`;
const browser = await launchChromium();
try {
  const writers = [
    await demoWriter(browser, `${url}/demo/index.html`),
    await exampleWriter(browser, "wllama, Q8_0", `${url}/examples/wllama.html`, "q8_0"),
    await exampleWriter(
      browser,
      "transformers.js, 8 bits",
      `${url}/examples/transformers_js.html`,
      "int8",
    ),
  ];
  const best = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, write } of writers) {
      const [short, long] = [await write(SHORT), await write(SHORT + tokens)];
      const rate = tokens / (long - short);
      console.error(`${name}: ${rate.toFixed(1)} tokens/s`);
      best.set(name, Math.max(best.get(name) ?? 0, rate));
    }
  }
  printTable(["what", "tokens/s"], Array.from(best, ([name, rate]) => [name, rate.toFixed(1)]));
} finally {
  await browser.close();
  await server.shutdown();
  await Deno.remove(site, { recursive: true });
}
