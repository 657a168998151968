/**
 * How fast do files decode on one core in Chromium? Prints million weights per second, wall time,
 * the best of several runs, as `bench/decode.ts` does for Deno.
 *
 *     deno run --allow-all bench/decode_in_browser.ts
 */
import { fileURLToPath } from "node:url";
import { launchChromium } from "../eval/plots/chromium.ts";
import { codedSamples, printRates, type SampleRates } from "./support/decoding/samples.ts";
import { readOptions } from "./support/command_line.ts";

readOptions({});

const RUNS = 30;

const { success, stdout } = await new Deno.Command(Deno.execPath(), {
  args: ["bundle", "-q", "--platform", "browser", "support/decoding/measure_in_page.ts"],
  cwd: fileURLToPath(new URL(".", import.meta.url)),
  stderr: "inherit",
}).output();
if (!success) Deno.exit(1);

const browser = await launchChromium();
try {
  const page = await browser.newPage();
  // Only pages of localhost or https have what checks the file's hashes.
  await page.route("http://localhost/", (route) => route.fulfill({ contentType: "text/html" }));
  await page.route("http://localhost/module.js", (route) => {
    const body = new TextDecoder().decode(stdout);
    return route.fulfill({ contentType: "text/javascript", body });
  });
  await page.goto("http://localhost/");
  console.log(`Chromium ${browser.version()}`);
  const found: SampleRates[] = [];
  for await (const sample of codedSamples()) {
    const [codes, whole]: [number, number] = await page.evaluate(
      async ([url, file, runs]) => (await import(url)).measureDecoding(file, runs),
      ["/module.js", sample.bytes.toBase64(), RUNS] as const,
    );
    found.push({ ...sample, codes, whole });
  }
  printRates("Chromium", found);
} finally {
  await browser.close();
}
