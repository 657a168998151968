import assert from "node:assert";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What the package consists of. */
const SOURCES = "{*,{baselines,cli,data,demo,eval,gguf,hierarchy,kan,workers}/**/*}.ts";

const COMMENT = /\/\*[^]*?\*\/|\/\/.*/g;

/** What Deno has of the language's library, and Node 22 does not. */
const TOO_NEW =
  /Promise\.try|[gs]etFloat16\(|RegExp\.escape|new Float16Array|Math\.f16round(?! \?\?)|Uint8Array\.from(?:Base64|Hex)|\.to(?:Base64|Hex)\(\)|Error\.isError/;

Deno.test("the package uses what Node 22 has", () => {
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const files = globSync(SOURCES, { cwd }).filter((file) =>
    !/_test\.ts$|testdata|demo.(?:page|dist)/.test(file)
  );
  assert(files.length > 300, `${files.length}`);
  for (const file of files) {
    const code = readFileSync(join(cwd, file), "utf8").replaceAll(COMMENT, "");
    assert.doesNotMatch(code, TOO_NEW, file);
  }
});

/** Methods of iterators, which Node 20, Firefox before 131 and Safari before 18.4 lack. */
const ITERATOR_HELPERS =
  /\.(?:values|keys|entries)\(\)\s*\.(?:map|filter|flatMap|reduce|some|every|find|forEach|take|drop|toArray)\(/;

Deno.test("the package and the page call no methods of iterators, which older browsers lack", () => {
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const files = globSync(SOURCES, { cwd }).filter((file) => !/_test\.ts$|testdata/.test(file));
  for (const file of files) {
    const code = readFileSync(join(cwd, file), "utf8").replaceAll(COMMENT, "");
    // Entries of a copy, as in [...map.values()].map(…), are an array's.
    assert.doesNotMatch(code, ITERATOR_HELPERS, file);
  }
  assert.match("new Map(types.values().map(idOf))", ITERATOR_HELPERS);
  assert.doesNotMatch("new Map([...types.values()].map(idOf))", ITERATOR_HELPERS);
});
