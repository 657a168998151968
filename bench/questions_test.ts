import assert from "node:assert";

const folder = new URL(".", import.meta.url);
const benches = [...Deno.readDirSync(folder)].map(({ name }) => name)
  .filter((name) => name.endsWith(".ts") && !name.endsWith("_test.ts"));
const read = (name: string) => Deno.readTextFileSync(new URL(name, folder));

for (const name of benches) {
  Deno.test(`bench/${name} opens with its question and its command`, () => {
    const [, header = ""] = /^\/\*\*\n([^]*?)\n \*\/\n/.exec(read(name)) ?? [];
    const [opening = ""] = header.split(/\n \*\n/);
    const [question = ""] = opening.replaceAll(/\s+\* /g, " ").split(/(?<=[.?]) (?=[A-Z])/);
    assert.match(question, /\?$/, `its first sentence is no question: ${question}`);
    assert.match(header, new RegExp(`^ \\*     deno run [^]*bench/${name}`, "m"));
  });
}

Deno.test("benches import helpers, not each other", () => {
  for (const name of benches) {
    const others = benches.filter((other) => read(name).includes(`from "./${other}"`));
    assert.deepEqual(others, [], `bench/${name}`);
  }
});
