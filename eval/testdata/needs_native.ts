import { findPackage } from "../native/runtime.ts";

const found = findPackage();
const missing = typeof found === "string";
const required = Deno.env.get("KANPRESS_REQUIRE_ALL") === "1";
if (missing && !required) console.warn(`skipping tests of the native engine: ${found}`);

/** Options of a test of the native engine: left out without it, unless everything must run. */
export const needsNative: { readonly ignore: boolean } = { ignore: missing && !required };
