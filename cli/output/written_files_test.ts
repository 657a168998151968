import assert from "node:assert";
import { join } from "node:path";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { cardWithList, foreignIn, isOwnCard, listFiles } from "./written_files.ts";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  using folder = new TemporaryFolder();
  const files = { "model.bin": "weights", "config.json": "{}", LICENSE: "MIT" };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder.path, name), text);
  }
  await work(folder.path);
}

const README = "has a README.md which kanpress did not write, or which was changed since";
const always = () => Promise.resolve(true);
const foreign = (folder: string) => foreignIn(folder, "model.bin", always);

Deno.test("what was written with a card is known by it, changes and additions too", () =>
  withFolder(async (folder) => {
    const write = (name: string, text: string) => Deno.writeTextFile(join(folder, name), text);
    const card = cardWithList("# A model", listFiles(folder));
    assert.ok(isOwnCard(card) && card.startsWith("# A model\n\n<!--"));
    await write("README.md", card);
    assert.equal(await foreign(folder), undefined);
    await write("notes.txt", "mine");
    assert.equal(await foreign(folder), "has notes.txt, which kanpress did not write");
    await Deno.remove(join(folder, "notes.txt"));
    await Deno.mkdir(join(folder, "empty"));
    assert.equal(await foreign(folder), "has empty, which kanpress did not write");
    await Deno.remove(join(folder, "empty"));
    await Deno.symlink(".", join(folder, "loop"));
    assert.equal(await foreign(folder), "has loop, which kanpress did not write");
    await Deno.remove(join(folder, "loop"));
    await write("config.json", '{"mine": 1}');
    assert.equal(
      await foreign(folder),
      "has config.json, which was changed since kanpress wrote it",
    );
    await write("config.json", "{}");
    await Deno.mkdir(join(folder, ".kanpress"));
    assert.equal(await foreign(folder), undefined);
    await write("README.md", card.replace("A model", "My model"));
    assert.equal(await foreign(folder), README);
  }));

Deno.test("a README of the user's is foreign, one that copies our list too", () =>
  withFolder(async (folder) => {
    await Deno.remove(join(folder, "LICENSE"));
    const card = cardWithList("# A model", listFiles(folder));
    for (
      const text of ["# Mine\n", card.replace("# A", "# My"), "<!-- written by kanpress: {} -->\n"]
    ) {
      await Deno.writeTextFile(join(folder, "README.md"), text);
      assert.equal(isOwnCard(text), false);
      assert.equal(await foreign(folder), README);
    }
  }));

Deno.test("without a card the usual files are known by name, and weights by their own signs", () =>
  withFolder(async (folder) => {
    assert.equal(await foreign(folder), "has LICENSE, which kanpress did not write");
    await Deno.remove(join(folder, "LICENSE"));
    assert.equal(await foreign(folder), undefined);
    const never = () => Promise.resolve(false);
    const not = "exists and was not written by kanpress";
    assert.equal(await foreignIn(folder, "model.bin", never), not);
    assert.equal(await foreignIn(folder, "missing.bin", always), not);
  }));
