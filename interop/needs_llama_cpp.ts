import { llamaCppIsCached } from "./start_llama_cpp.ts";

const required = Deno.env.get("KANPRESS_REQUIRE_ALL") === "1";
const missing = !required && !await llamaCppIsCached();
if (missing) {
  console.warn(
    "skipping tests with llama.cpp: `deno run --allow-all interop/llama_cpp.ts` downloads npm's " +
      "node-llama-cpp (some 800 MB)",
  );
}

/** Options of a test that needs llama.cpp: left out without it, unless everything must run. */
export const needsLlamaCpp: { readonly ignore: boolean } = { ignore: missing };
