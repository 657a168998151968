import { hasNbclient } from "../nbclient.ts";

const missing = !await hasNbclient("/usr/bin/python3");
const required = Deno.env.get("KANPRESS_REQUIRE_ALL") === "1";
if (missing && !required) {
  console.warn(
    "skipping tests of notebooks: install Debian's package python3-nbclient to run them",
  );
}

/** Options of a test that runs notebooks: left out without nbclient, unless everything must run. */
export const needsNbclient: { readonly ignore: boolean } = { ignore: missing && !required };
