import { findChromium } from "../chromium.ts";

const missing = findChromium() === undefined;
const required = Deno.env.get("KANPRESS_REQUIRE_ALL") === "1";
if (missing && !required) {
  console.warn("skipping tests in a browser: install Debian's package chromium to run them");
}

/** Options of a test that runs in Chromium: left out without it, unless everything must run. */
export const needsChromium: { readonly ignore: boolean } = { ignore: missing && !required };
