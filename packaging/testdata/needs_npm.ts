import { spawnSync } from "node:child_process";
import { findChromium } from "../../eval/plots/chromium.ts";

const isSlowRun = Deno.env.get("KANPRESS_SLOW") === "1";
const required = Deno.env.get("KANPRESS_REQUIRE_ALL") === "1";
const missing = [
  ...(spawnSync("npx", ["--version"]).status === 0 ? [] : ["npm"]),
  ...(findChromium() === undefined ? ["chromium"] : []),
];
if (isSlowRun && missing.length > 0 && !required) {
  console.warn(`skipping tests of the npm package: install ${missing.join(" and ")} to run them`);
}

/**
 * Options of a test that installs the npm package as users do: only with KANPRESS_SLOW=1, since it
 * downloads its dependencies, and left out without npm or Chromium, unless everything must run.
 */
export const needsNpm: { readonly ignore: boolean } = {
  ignore: !isSlowRun || (missing.length > 0 && !required),
};
