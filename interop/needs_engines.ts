import { enginesAreCached } from "./start_engine.ts";

const required = Deno.env.get("KANPRESS_REQUIRE_ALL") === "1";
const missing = !required && !await enginesAreCached();
if (missing) {
  console.warn(
    "skipping tests with ONNX Runtime and transformers.js: `deno run --allow-all " +
      "interop/engine.ts` downloads them (some 600 MB)",
  );
}

/** Options of a test that needs the packages: left out without them, unless everything must run. */
export const needsEngines: { readonly ignore: boolean } = { ignore: missing };
