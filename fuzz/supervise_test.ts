import assert from "node:assert";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { type Fault, supervise, type Supervision } from "./supervise.ts";
import { caseSeed, loadTarget, targetNames } from "./target.ts";
import { target } from "./testdata/faulty.ts";

Deno.test("hangs, ends and growing memory are faults, and the cases after them run", async () => {
  const cases = 14, seed = 4;
  const inputs = await Promise.all(
    Array.from(
      { length: cases },
      (_, number) => target.mutate(createRandom(caseSeed("faulty", seed, number))),
    ),
  );
  const kinds = inputs.map(([kind]) => kind!);
  assert.deepEqual([...new Set(kinds)].sort(), [0, 1, 2, 3, 4, 5, 6]);
  using scratch = new TemporaryFolder();
  const kept: (Fault & { input: number })[] = [];
  const limits = { caseSeconds: 1, megabytes: 400, seconds: 600, mostFaults: 100 };
  const how: Supervision = {
    target: new URL("testdata/faulty.ts", import.meta.url).href,
    seed,
    first: 0,
    cases,
    ...limits,
    scratch: scratch.path,
    onFault: (fault, file) => kept.push({ ...fault, input: Deno.readFileSync(file)[0]! }),
  };
  const result = await supervise(how);
  const count = (kind: number) => kinds.filter((other) => other === kind).length;
  assert.deepEqual([result.cases, result.read, result.refused], [cases, count(0), count(1)]);
  const expected = [
    ,
    ,
    /^TypeError: a bug/,
    /longer than 1 s/,
    /status 3/,
    // Which comes first depends on what else the machine does.
    /400 MB|longer than 1 s/,
    /longer than/,
  ];
  assert.deepEqual(
    kept.map(({ number }) => number),
    [...kinds.keys()].filter((number) => kinds[number]! > 1),
  );
  for (const { number, what, input } of kept.splice(0)) {
    assert.equal(input, kinds[number]);
    assert.match(what, expected[input]!);
  }
  await supervise({ ...how, first: kinds.indexOf(5), cases: 1, caseSeconds: 600 });
  assert.match(kept[0]!.what, /400 MB/);
});

Deno.test("every target is named after its file and makes the same case again", async () => {
  const names = await targetNames();
  assert.ok(names.includes("kan_file"));
  for (const name of names) {
    const target = await loadTarget(name);
    assert.equal(target.name, name);
    const make = () => target.mutate(createRandom(caseSeed(name, 1, 2)));
    assert.deepEqual(await make(), await make());
  }
});
