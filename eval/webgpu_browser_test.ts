/// <reference lib="dom" />
import assert from "node:assert";
import { fileURLToPath } from "node:url";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { launchChromium } from "./plots/chromium.ts";
import { needsChromiumWebGpu, WEBGPU_FLAGS } from "./plots/testdata/needs_chromium_webgpu.ts";
import { createTrainer } from "./training/create_trainer.ts";
import { figuresOn, gradientsOf, tokensOn } from "./testdata/figures_in_page.ts";

const config = {
  model_type: "qwen3",
  hidden_size: 16,
  intermediate_size: 24,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 4,
  num_hidden_layers: 1,
  max_position_embeddings: 32,
  vocab_size: 50,
};
/** Between them, they run every program. */
const configs = [
  config,
  {
    ...config,
    model_type: "gemma2",
    sliding_window: 9,
    attn_logit_softcapping: 2,
    final_logit_softcapping: 3,
  },
];

Deno.test("our programs compile in Chromium and give the figures of WebAssembly there", {
  ...needsChromiumWebGpu,
  // Chromium's connections close after the test.
  sanitizeResources: false,
}, async () => {
  using folder = new TemporaryFolder();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "-q", "--platform", "browser", "--outdir", folder.path, "figures_in_page.ts"],
    cwd: fileURLToPath(new URL("testdata", import.meta.url)),
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const script = await Deno.readTextFile(`${folder.path}/figures_in_page.js`);
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    ({ url }) =>
      url.endsWith(".js")
        ? new Response(script, { headers: { "content-type": "text/javascript" } })
        : new Response('<script type="module" src="/figures.js"></script>', {
          headers: {
            "content-type": "text/html",
            // Shared memory is for isolated pages.
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-embedder-policy": "require-corp",
          },
        }),
  );
  const browser = await launchChromium(WEBGPU_FLAGS);
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(300_000);
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    await page.waitForFunction(() => "figuresOn" in globalThis);
    for (const config of configs) {
      const found: readonly number[] = await page.evaluate(
        (config) =>
          (globalThis as unknown as { figuresOn: typeof figuresOn }).figuresOn("webgpu", config),
        config,
      );
      const expected = await figuresOn("wasm", config);
      assert.equal(found.length, expected.length);
      const largest = Math.max(...expected.slice(3));
      expected.forEach((value, i) => {
        const scale = i < 3 ? value : largest;
        const text = `${config.model_type}, ${i}: ${found[i]} ${value}`;
        assert.ok(Math.abs(found[i]! - value) < 1e-5 * scale, text);
      });
      const written: readonly number[] = await page.evaluate(
        (config) =>
          (globalThis as unknown as { tokensOn: typeof tokensOn }).tokensOn("webgpu", config),
        config,
      );
      assert.deepEqual(written, await tokensOn("wasm", config));
    }
    const slopes: readonly number[] = await page.evaluate(
      (config) =>
        (globalThis as unknown as { gradientsOf: typeof gradientsOf }).gradientsOf(config),
      config,
    );
    const [loss, ...others] = await gradientsOf(
      config,
      (options) => createTrainer("wasm", options),
    );
    assert.ok(Math.abs(slopes[0]! / loss! - 1) < 1e-5, `${slopes[0]} ${loss}`);
    assert.equal(slopes.length, 1 + others.length);
    const steepest = Math.max(...others.map(Math.abs));
    others.forEach((value, i) =>
      assert.ok(Math.abs(slopes[i + 1]! - value) < 1e-5 * steepest, `${i}: ${value}`)
    );
  } finally {
    await browser.close();
    await server.shutdown();
  }
});
