import assert from "node:assert";
import type { Trainer } from "../../../eval/training/trainer.ts";
import { sourceOf } from "../../../hierarchy/decode_container.ts";
import { openContainer } from "../../../hierarchy/file/container.ts";
import { HierarchicalCompressor } from "../../../hierarchy/mod.ts";
import { createRandom } from "../../../kan/numeric/random.ts";
import { type CodePath, openPaths, weightsOf } from "./code_paths.ts";
import { trainCodes } from "./code_trainer.ts";

const STEPS = 80;

/** Half the squared distance of a matrix from others of its shape, and its gradient. */
function nearTo(goal: Float32Array, { name, levels, ...rest }: CodePath): Trainer {
  let weights = weightsOf({ name, levels, ...rest });
  const apart = () => weights.map((value, i) => value - goal[i]!);
  const loss = () => apart().reduce((sum, value) => sum + value * value / 2, 0);
  const gradients = { gains: new Map(), vectors: new Map() };
  return {
    step: () => Promise.resolve({ loss: loss(), gradients, weights: new Map([[name, apart()]]) }),
    loss: () => Promise.resolve(loss()),
    replaceWeights: (replaced) => weights = replaced.get(name)!,
    close: () => Promise.resolve(),
  };
}

for (const states of [1, 8]) {
  Deno.test(`codes of ${states} states follow targets that go far, and no others change`, async () => {
    const random = createRandom(2);
    const data = Float32Array.from({ length: 48 * 80 }, () => random.normal());
    const compressor = new HierarchicalCompressor({ bits: 6, states });
    const { bytes } = await compressor.compress(
      new Map([["w", { dtype: "F32" as const, shape: [48, 80], data }]]),
    );
    const codes = openPaths(await openContainer(sourceOf(bytes)));
    const [path] = codes.paths;
    const before = path!.levels.slice();
    const away = new Set([3, 100, 517, 3839]);
    // Six steps away: levels of one parity are four apart at most.
    const goal = weightsOf({
      ...path!,
      levels: before.map((level, i) => away.has(i) ? level + 6 : level),
    });
    const inner = nearTo(goal, path!);
    const trainer = trainCodes(inner, codes, { rate: 0.1, steps: STEPS });
    const at = { gains: new Map(), vectors: new Map() };
    const first = await trainer.loss([], at);
    for (let step = 0; step < STEPS; step++) await trainer.step([], at);
    const last = await trainer.loss([], at);
    assert.ok(last < first / 2, `${first} became ${last}`);
    const { codes: best, changed } = trainer.best();
    assert.equal(changed, away.size / data.length);
    best.paths[0]!.levels.forEach((level, i) => {
      if (away.has(i)) {
        assert.ok(level > before[i]! && level <= before[i]! + 8, `${before[i]} became ${level}`);
      } else assert.equal(level, before[i]);
    });
  });
}
