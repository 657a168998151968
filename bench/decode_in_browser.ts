/**
 * How fast do files decode on one core in Chromium? Prints million weights a second, wall time, the
 * best of several runs, as `bench/decode.ts` does for Deno.
 *
 *     deno run --allow-all bench/decode_in_browser.ts
 */
import { fileURLToPath } from "node:url";
import { launchChromium } from "../eval/plots/chromium.ts";
import { HierarchicalCompressor } from "../hierarchy/compressor.ts";
import { createRandom } from "../kan/random.ts";

const RUNS = 30;
/** Million weights a second that decoding is to reach on one core. */
const GOAL = 40;
const SHAPE = [1024, 1024] as const;

const { success, stdout } = await new Deno.Command(Deno.execPath(), {
  args: ["bundle", "-q", "--platform", "browser", "browser/measure_decoding.ts"],
  cwd: fileURLToPath(new URL(".", import.meta.url)),
  stderr: "inherit",
}).output();
if (!success) Deno.exit(1);

const random = createRandom(1);
const data = Float32Array.from({ length: SHAPE[0] * SHAPE[1] }, () => random.normal() * 0.02);
const weights = new Map([["weight", { dtype: "F32" as const, shape: SHAPE, data }]]);

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
  console.log(
    `bits a weight   states   entropy decoder   whole file   (million weights a second; goal: ${GOAL})`,
  );
  for (const bits of [2, 4]) {
    for (const states of [1, 8]) {
      const { bytes } = await new HierarchicalCompressor({ bits, states }).compress(weights);
      const measured: number[] = await page.evaluate(
        async ([url, file, runs]) => (await import(url)).measureDecoding(file, runs),
        ["/module.js", bytes.toBase64(), RUNS] as const,
      );
      const [decoder, whole] = measured.map((milliseconds) => data.length / 1e3 / milliseconds);
      console.log(
        `${bits}`.padStart(13),
        `${states}`.padStart(8),
        decoder!.toFixed(1).padStart(17),
        whole!.toFixed(1).padStart(12),
      );
    }
  }
} finally {
  await browser.close();
}
