import { findChromium, launchChromium } from "../chromium.ts";

/** Gives Chromium a WebGPU adapter in software, which comes with it; see Chromium's docs/gpu. */
export const WEBGPU_FLAGS: readonly string[] = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
];

const required = Deno.env.get("KANPRESS_REQUIRE_ALL") === "1";
const missing = !await hasAdapter();
if (missing && !required) {
  console.warn(
    "skipping tests of WebGPU in a browser: Debian's package chromium brings an adapter in software",
  );
}

/** Options of a test on WebGPU in Chromium: left out without it, unless everything must run. */
export const needsChromiumWebGpu: { readonly ignore: boolean } = { ignore: missing && !required };

async function hasAdapter(): Promise<boolean> {
  if (findChromium() === undefined) return false;
  // Only a page of this machine's own or of https has navigator.gpu.
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => new Response(),
  );
  const browser = await launchChromium(WEBGPU_FLAGS);
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    return await page.evaluate(async () => await navigator.gpu?.requestAdapter() != null);
  } finally {
    await browser.close();
    await server.shutdown();
  }
}
