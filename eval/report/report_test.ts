/// <reference lib="dom" />
import assert from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { InputError } from "../../data/input_error.ts";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { launchChromium } from "../plots/chromium.ts";
import { accessibilityProblems } from "../plots/testdata/accessibility.ts";
import { needsChromium } from "../plots/testdata/needs_chromium.ts";
import { reportPage } from "./report_page.ts";
import { parseReportInput, parseResults } from "./results.ts";
import type { ResultRow } from "./result_row.ts";

/** As `compress --json` prints it. */
function resultJson(compressedBytes: number, perplexity: number, mean: number): string {
  return JSON.stringify({
    model: "tiny <b>model</b>",
    parameters: 1_000_000,
    originalBytes: 2_000_000,
    compressedBytes,
    bitsPerWeight: 8 * compressedBytes / 1e6,
    perplexity: { original: 20, compressed: perplexity },
    perplexityStandardError: { original: 1, compressed: 1.1 },
    klDivergence: { mean, p999: 0.5 },
    sameTop1: 0.9,
    seconds: { total: 3 },
    out: `compressed/${compressedBytes}`,
  });
}

function detailedRows(): ResultRow[] {
  const text = [resultJson(500_000, 21, 0.01), resultJson(250_000, 30, 0.3)].join("\n");
  return parseResults(text, "r.json").map((row) => ({
    ...row,
    method: "rate",
    sample: ` it said "A & B".`,
    originalSample: " the box.",
    tensors: [0, 1, 2].map((layer) => ({
      name: `h.${layer}.mlp.weight`,
      shape: [500, 600],
      bitsPerWeight: 3 + layer / 4,
    })),
  }));
}

async function page(): Promise<string> {
  return await reportPage({
    rows: detailedRows(),
    prompt: "She opened",
    commands: ["deno task evaluate compressed/500000", "deno task report r.json"],
  });
}

Deno.test("results are read as one object, a list, or lines", () => {
  const one = resultJson(500_000, 21, 0.01);
  const [row] = parseResults(one, "r.json");
  assert.deepEqual(row!.perplexity, { value: 21, standardError: 1.1 });
  assert.deepEqual(row!.klDivergence, { value: 0.01 });
  assert.deepEqual(parseResults(`[${one},${one}]`, "r.json"), [row, row]);
  assert.deepEqual(parseResults(`${one}\n\n${one}\n`, "r.json"), [row, row]);
});

Deno.test("a sweep's points are results, but for those that failed", () => {
  const point = {
    name: "gptq-3-g64",
    bits: 3,
    error: null,
    bitsPerWeight: 4,
    compressedBytes: 500_000,
    perplexity: 21,
    perplexityStandardError: 1.1,
    klDivergence: 0.01,
    klDivergenceStandardError: 0.002,
    sameTop1: 0.9,
  };
  const failed = { ...point, error: "cannot be reached", compressedBytes: null };
  const original = { perplexity: 20, perplexityStandardError: 1 };
  const commands = ["deno task sweep --presets gptq --bits 3"];
  const sweep = { model: "tiny", settings: {}, original, commands, points: [point, failed] };
  assert.deepEqual(parseResults(JSON.stringify(sweep), "s.json"), [{
    model: "tiny",
    name: "gptq-3-g64",
    method: "gptq",
    parameters: 1_000_000,
    compressedBytes: 500_000,
    perplexity: { value: 21, standardError: 1.1 },
    originalPerplexity: { value: 20, standardError: 1 },
    klDivergence: { value: 0.01, standardError: 0.002 },
    sameTop1: 0.9,
    commands,
  }]);
  // What was not finite is null in JSON.
  const infinite = { ...sweep, points: [point, { ...point, perplexity: null }] };
  assert.equal(parseResults(JSON.stringify(infinite), "s.json").length, 1);
  const lacking = { ...sweep, points: [{ ...point, perplexity: "21" }] };
  assert.throws(
    () => parseResults(JSON.stringify(lacking), "s.json"),
    /^InputError: s.json: result 1: point 1: lacks perplexity/,
  );
});

Deno.test("bad results are refused with the place of the mistake", () => {
  const cases: [string, RegExp][] = [
    ["", /^r.json: has no results/],
    ["{}\n{", /^r.json: line 2: is not JSON/],
    ["[1]", /^r.json: result 1: is not a JSON object/],
    ["{}", /^r.json: result 1: lacks perplexity of both/],
    [`{"perplexity":{"compressed":3,"original":2}}`, /result 1: lacks parameters/],
    [resultJson(9, 0, 1), /perplexity is 0; measure/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseResults(text, "r.json"), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("models have parts of their own, known by their original, not by its place", async () => {
  const result = JSON.parse(resultJson(500_000, 21, 0.01));
  const other = {
    ...result,
    model: "c/model.kan.safetensors",
    comparedWith: { name: "/a/second" },
  };
  const same = { ...other, comparedWith: { name: "../second" }, compressedBytes: 400_000 };
  const lines = [result, other, same].map((one) => JSON.stringify(one)).join("\n");
  const rows = parseResults(lines, "r.json");
  assert.deepEqual(rows.map(({ model }) => model), ["tiny <b>model</b>", "second", "second"]);
  const html = await reportPage({ rows, commands: [] });
  assert.deepEqual([...html.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title), [
    "tiny &lt;b&gt;model&lt;/b&gt;",
    "second",
    "How to reproduce",
  ]);
  const ids = [...html.matchAll(/<div id="([^"]+)"/g)].map(([, id]) => id);
  assert.deepEqual(ids, ["perplexity-0", "divergence-0", "perplexity-1", "divergence-1"]);
});

Deno.test("what evaluate --chat and --prompt printed is shown, alone or beside results", async () => {
  const chat = JSON.stringify({
    model: "c/model.kan.safetensors",
    messages: [{ role: "system", content: "Be brief." }, { role: "user", content: "Why <1>?" }],
    replies: { original: "Because.", compressed: "So & so." },
  });
  const prompt = JSON.stringify({
    model: "tiny",
    prompt: "She opened",
    continuations: { original: " the door." },
  });
  const { rows, written } = parseReportInput(`${chat}\n${prompt}`, "r.json");
  assert.deepEqual(rows, []);
  const html = await reportPage({ rows, written, commands: [] });
  assert.match(html, /<strong>user<\/strong> Why &lt;1&gt;\?/);
  assert.match(html, /<h4>compressed<\/h4><p><span class="prompt"><\/span>So &amp; so\./);
  assert.match(html, /<h4>tiny<\/h4><p><span class="prompt">She opened<\/span> the door\./);
  assert.ok(html.length < 10_000, "plotly is not needed");
  const mixed = parseReportInput(`${chat}\n${resultJson(500_000, 21, 0.01)}`, "r.json");
  assert.deepEqual([mixed.rows.length, mixed.written.length], [1, 1]);
  assert.throws(() => parseResults(chat, "r.json"), /has no results/);
  assert.throws(
    () => parseReportInput('{"replies": {}}', "r.json"),
    /result 1: lacks what was said/,
  );
});

Deno.test("texts of the results are text on the page", async () => {
  const html = await page();
  assert.match(html, /<h1>kanpress report: tiny &lt;b&gt;model&lt;\/b&gt;<\/h1>/);
  assert.match(html, / it said &quot;A &amp; B&quot;\./);
  assert.ok(!/https?:\/\/[^"]*\.(js|css)/.test(html.replaceAll(/<script>.*?<\/script>/gs, "")));
});

Deno.test("the report works offline from disk, by keyboard and with enough contrast", {
  ...needsChromium,
  sanitizeResources: false,
}, async (t) => {
  using folder = new TemporaryFolder();
  const browser = await launchChromium();
  try {
    const path = join(folder.path, "report.html");
    await writeFile(path, await page());
    const tab = await browser.newPage();
    const problems: string[] = [];
    tab.on("request", (request) => {
      if (!/^(file|data|blob):/.test(request.url())) problems.push(request.url());
    });
    tab.on("pageerror", (error) => problems.push(error.message));
    await tab.goto(pathToFileURL(path).href);
    await t.step("figures are drawn", () => drawsFigures(tab));
    await t.step("everything can be reached by keyboard", () => worksByKeyboard(tab));
    await t.step("text has contrast", () => hasContrast(tab));
    await t.step("axe finds nothing", async () => {
      assert.deepEqual(await accessibilityProblems(tab), []);
    });
    await t.step("nothing is wider than a phone", () => fitsPhone(tab));
    assert.deepEqual(problems, []);
  } finally {
    await browser.close();
  }
});

async function drawsFigures(tab: Page): Promise<void> {
  await tab.locator("#bits .scatterlayer .trace").first().waitFor();
  const counts: number[] = [];
  for (const id of ["perplexity", "divergence", "bits"]) {
    counts.push(await tab.locator(`#${id} .scatterlayer .trace`).count());
  }
  // Front, original and one method; front and one method; one kind of matrix.
  assert.deepEqual(counts, [3, 2, 1]);
  assert.equal(await tab.locator("tbody tr").count(), 2 + 2 * 3);
  assert.equal(await tab.locator("article").count(), 3);
}

async function worksByKeyboard(tab: Page): Promise<void> {
  const reached: string[] = [];
  for (let press = 0; press < 40; press++) {
    await tab.keyboard.press("Tab");
    const focused = await tab.evaluate(() => {
      const element = document.activeElement!;
      return `${element.tagName} ${element.getAttribute("aria-label") ?? element.textContent}`;
    });
    if (focused.startsWith("BODY")) break;
    reached.push(focused);
    if (focused.startsWith("SUMMARY")) await tab.keyboard.press("Enter");
  }
  assert.match(reached[0]!, /^A Skip to the results/);
  assert.equal(reached.filter((name) => name.startsWith("SUMMARY")).length, 2);
  assert.equal(await tab.locator("details[open]").count(), 2);
  for (
    const name of ["Size and quality", "Size against perplexity", "Tensors of rate, 4.00 bits"]
  ) {
    assert.ok(reached.some((focused) => focused.includes(`DIV ${name}`)), name);
  }
}

/** Every visible text against the nearest background behind it (WCAG 2.2, 1.4.3). */
async function hasContrast(tab: Page): Promise<void> {
  const poor = await tab.evaluate(() => {
    const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = (color: string) => {
      const [r, g, b] = channels(color).slice(0, 3).map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    const backgroundOf = (element: Element | null): string => {
      for (let at = element; at !== null; at = at.parentElement) {
        const color = getComputedStyle(at).backgroundColor;
        if (channels(color)[3] !== 0) return color;
      }
      return "rgb(255, 255, 255)";
    };
    const failures: string[] = [];
    for (const element of document.querySelectorAll("body *:not(script)")) {
      const own = [...element.childNodes].some((node) =>
        node.nodeType === Node.TEXT_NODE && node.textContent!.trim() !== ""
      );
      if (!own || element.closest(".modebar-container") !== null) continue;
      const style = getComputedStyle(element);
      const isSvg = element instanceof SVGElement;
      const text = luminance(isSvg ? style.fill : style.color);
      const back = luminance(backgroundOf(element));
      const contrast = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
      if (contrast < 4.5) failures.push(`${element.textContent}: ${contrast.toFixed(2)}`);
    }
    return failures;
  });
  assert.deepEqual(poor, []);
}

async function fitsPhone(tab: Page): Promise<void> {
  await tab.setViewportSize({ width: 375, height: 800 });
  const width = await tab.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 375, `the page is ${width} pixels wide`);
}
