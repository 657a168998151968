import assert from "node:assert";
import { fileURLToPath } from "node:url";
import { launchChromium } from "../eval/plots/chromium.ts";
import { needsChromium } from "../eval/plots/testdata/needs_chromium.ts";
import { kernelResults, referenceResults } from "./testdata/kernel_results.ts";

Deno.test("kernels give the same in Deno and on a browser's main thread", {
  ...needsChromium,
  // Chromium's connections close after the test.
  sanitizeResources: false,
}, async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "-q", "--platform", "browser", "testdata/kernel_results.ts"],
    cwd: fileURLToPath(new URL(".", import.meta.url)),
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const module = `data:text/javascript;base64,${stdout.toBase64()}`;
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    const found = await page.evaluate(
      async (url: string) => (await import(url)).kernelResults(),
      module,
    );
    assert.deepEqual(found, referenceResults());
    assert.deepEqual(kernelResults(), referenceResults());
  } finally {
    await browser.close();
  }
});
