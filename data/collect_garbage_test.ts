import assert from "node:assert";

/** Prints the memory that a process has with arrays that nothing refers to, and after collecting. */
const PROGRAM = `
import { collectGarbage } from "${new URL("./collect_garbage.ts", import.meta.url)}";
const resident = () => Deno.memoryUsage().rss;
let arrays = [];
const least = resident() + 4e8;
while (resident() < least) arrays.push(new Float32Array(2e6).fill(1));
arrays = undefined;
const before = resident();
collectGarbage();
console.log(before, resident());
`;

// A process of its own: other tests beside this one take memory, too.
Deno.test("what nothing refers to is given back at once", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", PROGRAM],
    env: { NO_COLOR: "1" },
  }).output();
  const [before, after] = new TextDecoder().decode(stdout).split(" ").map(Number);
  assert.ok(after! < before! - 3e8, `${before} and then ${after} bytes`);
});
