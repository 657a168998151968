const missing = !await hasPython();
const required = Deno.env.get("KANPRESS_REQUIRE_ALL") === "1";
if (missing && !required) {
  console.warn("skipping the decoder in Python: install Debian's package python3 to run it");
}

async function hasPython(): Promise<boolean> {
  try {
    const check = "import sys; sys.exit(sys.version_info < (3, 9))";
    return (await new Deno.Command("python3", { args: ["-c", check] }).output()).success;
  } catch {
    return false;
  }
}

/** Options of a test that runs Python: left out without it, unless everything must run. */
export const needsPython: { readonly ignore: boolean } = { ignore: missing && !required };
