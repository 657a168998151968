import assert from "node:assert";
import { createRandom } from "../../../kan/numeric/random.ts";
import { decodeContainer, sourceOf } from "../../../hierarchy/decode_container.ts";
import { openContainer } from "../../../hierarchy/file/container.ts";
import { HierarchicalCompressor } from "../../../hierarchy/mod.ts";
import { CodingWorkers } from "../../../hierarchy/workers/coding_workers.ts";
import { nextLevel, openPaths, searchPath, weightsOf, withPaths } from "./code_paths.ts";

const random = createRandom(1);
const tensor = (rows: number, columns: number) => ({
  dtype: "F32" as const,
  shape: [rows, columns],
  data: Float32Array.from({ length: rows * columns }, () => random.normal()),
});
const weights = new Map([["a", tensor(40, 70)], ["b", tensor(64, 16)]]);
const metrics = new Map([["b", {
  inputAxis: 1 as const,
  hessian: Float64Array.from({ length: 256 }, (_, i) => i % 17 === 0 ? 1 : 0.3),
}]]);

for (const states of [1, 8, 64]) {
  Deno.test(`single codes of ${states} states change, and all others stay`, async () => {
    const compressor = new HierarchicalCompressor({ bits: 3, states });
    const { bytes } = await compressor.compress(weights, { metrics });
    const container = await openContainer(sourceOf(bytes));
    const { trellis, paths } = openPaths(container);
    const before = await decodeContainer(container);
    for (const path of paths) assert.deepEqual(weightsOf(path), before.get(path.name)!.data);
    let moved = 0;
    for (const { levels, quantizers } of paths) {
      for (let at = 0; at < levels.length; at += 7) {
        const [level, up] = [levels[at]!, random.integer(2) === 0];
        const found = nextLevel(trellis, { quantizer: quantizers[at]!, level, up });
        const distance = up ? found - level : level - found;
        assert.ok(states === 1 ? distance === 1 : [2, 3, 4].includes(distance), `${distance}`);
        levels[at] = found;
        moved++;
      }
    }
    assert.ok(moved > 500);
    for (const path of paths) assert.equal(searchPath(trellis, path, path.levels.slice()), 0);
    const workers = new CodingWorkers(1);
    const after = await decodeContainer(await withPaths(container, { trellis, paths }, workers));
    for (const path of paths) assert.deepEqual(weightsOf(path), after.get(path.name)!.data);
  });
}
