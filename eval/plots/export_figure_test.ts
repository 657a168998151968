import assert from "node:assert";
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { createKanModel, createRandom, samplesFrom } from "../../kan/mod.ts";
import { networkFigure } from "../../kan/plots/network.ts";
import { launchChromium } from "./chromium.ts";
import { figureToPng, figureToSvg, type PictureRenderer, writeFigure } from "./export_figure.ts";
import type { Figure } from "./figure.ts";
import { MADE_BY } from "./made_by.ts";
import { createScale } from "./svg/scale.ts";
import { exampleFigures } from "./testdata/example_figures.ts";
import { needsChromium } from "./testdata/needs_chromium.ts";
import { countColor, decodePng } from "./testdata/png_pixels.ts";

/** Colours of the traces. */
function traceColors(figure: Figure): string[] {
  return figure.data.map(({ line, marker }) => ((marker ?? line) as { color: string }).color)
    .filter((color) => color.startsWith("#"));
}

async function checkPictures(renderer: PictureRenderer, names: readonly string[]): Promise<void> {
  const figures = exampleFigures();
  for (const name of names) {
    const pixels = await decodePng(await figureToPng(figures[name]!, { renderer }));
    assert.deepEqual([pixels.width, pixels.height], [1230, 750], name);
    for (const color of traceColors(figures[name]!)) {
      assert.ok(countColor(pixels, color) > 40, `${name}: nothing is drawn in ${color}`);
    }
  }
}

Deno.test("pictures without a browser show every series", async () => {
  await checkPictures("builtin", Object.keys(exampleFigures()));
});

Deno.test("pictures from Chromium show every series", needsChromium, async () => {
  await checkPictures("chromium", ["tradeOff", "bars"]);
});

Deno.test("SVG without a browser stays on the page and has no numbers gone wrong", async () => {
  const inputs = samplesFrom([[-1, -1], [0, 0.5], [1, 1]]);
  const network = networkFigure(
    createKanModel({ widths: [2, 2, 1], random: createRandom(0) }),
    inputs,
  );
  for (const [name, figure] of Object.entries({ ...exampleFigures(), network })) {
    const svg = await figureToSvg(figure, { renderer: "builtin" });
    assert.ok(!/NaN|Infinity|undefined/.test(svg), name);
    const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg)!.map(Number);
    for (const [, points] of svg.matchAll(/points="([^"]*)"/g)) {
      for (const pair of points!.split(" ")) {
        const [x, y] = pair.split(",").map(Number);
        assert.ok(x! >= 0 && x! <= width! && y! >= 0 && y! <= height!, `${name}: ${pair}`);
      }
    }
  }
});

Deno.test("names of series are text, not markup", async () => {
  const figure = exampleFigures()["functions"]!;
  const named = { ...figure, data: [{ ...figure.data[0], name: 'a & "b" &lt;c>' }] };
  const svg = await figureToSvg(named, { renderer: "builtin" });
  assert.match(svg, /a &amp; &quot;b&quot; &lt;c&gt;/);
});

Deno.test("the file's ending chooses the format", async () => {
  using folder = new TemporaryFolder();
  const figure = exampleFigures()["bits"]!;
  await writeFigure(join(folder.path, "a.json"), figure);
  assert.deepEqual(JSON.parse(await readFile(join(folder.path, "a.json"), "utf8")), {
    comment: MADE_BY,
    ...figure,
  });
  await writeFigure(join(folder.path, "a.svg"), figure, { renderer: "builtin" });
  const svg = await readFile(join(folder.path, "a.svg"), "utf8");
  assert.match(svg, /^<svg [^>]*><!-- made by kanpress -->.*<\/svg>\n$/s);
  await writeFigure(join(folder.path, "a.png"), figure, { renderer: "builtin" });
  const png = await readFile(join(folder.path, "a.png"));
  const plain = await figureToPng(figure, { renderer: "builtin" });
  const chunk = png.length - plain.length;
  assert.equal(crc32(png.subarray(37, 33 + chunk - 4)), png.readUInt32BE(33 + chunk - 4));
  assert.ok(png.includes(MADE_BY));
  assert.deepEqual(png.subarray(33 + chunk), Buffer.from(plain.subarray(33)));
  await assert.rejects(
    writeFigure(join(folder.path, "a.pdf"), figure),
    /a.pdf: a plot ends in .png/,
  );
});

Deno.test("the page of a figure works offline from disk", {
  ...needsChromium,
  sanitizeResources: false,
}, async () => {
  using folder = new TemporaryFolder();
  const browser = await launchChromium();
  try {
    const path = join(folder.path, "a.html");
    await writeFigure(path, exampleFigures()["tradeOff"]!);
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on("request", (request) => {
      if (!/^(file|data|blob):/.test(request.url())) problems.push(request.url());
    });
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(`file://${path}`);
    await page.locator(".legendtext").first().waitFor();
    assert.equal(await page.locator(".scatterlayer .trace").count(), 11);
    assert.deepEqual(problems, []);
  } finally {
    await browser.close();
  }
});

Deno.test("axes have at least three ticks that lie on them, however wide their range", () => {
  for (const type of ["linear", "log"]) {
    for (
      const values of [
        [53, 63],
        [1e-3, 2e4],
        [47, 47],
        [0.9, 1100],
        [0.008, 6.4],
        [0.02, 7],
        [3e-9, 4e-9],
      ]
    ) {
      const { ticks, at } = createScale(values, { type });
      assert.ok(ticks.length >= 3 && ticks.length <= 14, `${type} ${values}: ${ticks.length}`);
      for (const tick of ticks) {
        assert.ok(
          tick.at >= -1e-6 && tick.at <= 1 + 1e-6 && Math.abs(at(tick.value) - tick.at) < 1e-9,
        );
      }
      assert.equal(new Set(ticks.map(({ label }) => label)).size, ticks.length);
      const ends = [0, ...ticks.map((tick) => tick.at), 1];
      const gaps = ends.slice(1).map((end, i) => end - ends[i]!);
      assert.ok(Math.max(...gaps) < 0.5, `${type} ${values}: half of the axis has no tick`);
    }
  }
});
