import assert from "node:assert";
import { launchChromium } from "../eval/plots/chromium.ts";
import { needsChromium } from "../eval/plots/testdata/needs_chromium.ts";
import { readyModels } from "./ready_models.ts";
import { serveDemo } from "./serve.ts";
import { demoSite } from "./site.ts";
import { bundle } from "./testdata/demo_page.ts";

Deno.test("a download that waits says so, one that fails can be tried again", {
  ...needsChromium,
  // Chromium's connections close after the test.
  sanitizeResources: false,
}, async () => {
  await bundle();
  const stop = new AbortController();
  const site = await demoSite({ models: (await readyModels()).slice(0, 1) });
  const { url, finished } = await serveDemo(site, { port: 0, signal: stop.signal });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    const panel = page.locator(".panel").first();
    const activity = (text: RegExp) => panel.locator(".activity").filter({ hasText: text });
    for (const file of ["model.kan.safetensors", "tokenizer.json"]) {
      let answer = () => {};
      const answered = new Promise<void>((resolve) => answer = resolve);
      await page.route(`**/${file}*`, async (route) => {
        await answered;
        await route.fulfill({ status: 404 });
      });
      await page.goto(url);
      if (file === "model.kan.safetensors") {
        await activity(/^loading, waiting for the connection$/).waitFor();
      }
      answer();
      await panel.locator(".error:visible").filter({ hasText: "404" }).waitFor();
      await page.unroute(`**/${file}*`);
      await panel.locator(".load", { hasText: "Try again" }).click();
      await activity(/^ready/).waitFor();
      assert.equal(await panel.locator(".load").isVisible(), false);
      assert.equal(await panel.locator(".error").isVisible(), false);
    }
  } finally {
    await browser.close();
    stop.abort();
    await finished;
  }
});
