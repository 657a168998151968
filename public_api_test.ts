import assert from "node:assert";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import config from "./deno.json" with { type: "json" };

const ROOT = fileURLToPath(new URL(".", import.meta.url));
/** Files of the entry points that are imported: not the command line, which is run. */
const ENTRIES = Object.entries(config.exports).filter(([name]) => name !== "./cli");
/** Names that an entry point has at most. */
const MOST_NAMES = 42;

async function deno(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

async function namesOf(file: string): Promise<string[]> {
  const { nodes } = JSON.parse(await deno("doc", "--json", file)) as {
    nodes: Record<string, { symbols: { name: string }[] }>;
  };
  return Object.values(nodes).flatMap(({ symbols }) => symbols.map(({ name }) => name));
}

async function bundle(file: string): Promise<string> {
  return await deno("bundle", "-q", "--platform", "browser", "--minify", file);
}

/** What no page has, and what none should have to load. */
const NOT_FOR_BROWSERS = /["'`]node:|playwright|plotly/;
/** In a bundle with tfjs. */
const TFJS = /registerBackend/;

Deno.test("the entry points stay small, and say how they are used", async () => {
  for (const [name, file] of ENTRIES) {
    const names = await namesOf(file);
    const most = name === "." ? 31 : MOST_NAMES;
    assert.ok(names.length > 4 && names.length <= most, `${name} has ${names.length} names`);
    const [head] = (await readFile(join(ROOT, file), "utf8")).split("*/");
    assert.match(
      head!,
      /^\/\*\*[^]*```ts\n[^]*@kanpress\/kanpress[^]*assert[^]*```[^]*@module/,
      file,
    );
  }
});

Deno.test("every entry point is linted", () => {
  const linted = config.tasks.lint.match(/deno doc --lint ([^&]*)/)![1]!.trim().split(" ");
  assert.deepEqual(linted.sort(), ENTRIES.map(([, file]) => file.slice(2)).sort());
});

for (
  const [name, mostBytes] of [
    ["decompress", 46_000],
    ["download", 60_000],
    ["onnx", 100_000],
    ["gguf", 130_000],
    ["eval", 2e6],
  ] as const
) {
  Deno.test(`./${name} is bundled for browsers`, async () => {
    const code = await bundle(config.exports[`./${name}`]);
    assert.ok(code.length <= mostBytes, `${code.length} bytes`);
    assert.deepEqual(code.match(NOT_FOR_BROWSERS), null);
    assert.equal(TFJS.test(code), name === "eval");
  });
}

Deno.test("a bundle of what reads files would be noticed", async () => {
  assert.match(await bundle(config.exports["./data"]), NOT_FOR_BROWSERS);
});
