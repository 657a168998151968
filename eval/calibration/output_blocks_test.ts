import assert from "node:assert";
import { OUTPUT_ALIGNMENT } from "../../hierarchy/matrix/error_metric.ts";
import { describeModel } from "../architectures/registry.ts";
import { modelLinears } from "../weights/expected_tensors.ts";
import { outputBlocks } from "./output_blocks.ts";

Deno.test("the blocks cover the outputs of every layer but the head, and the embedding's", () => {
  const config = {
    model_type: "gpt2",
    n_embd: 1200,
    n_head: 2,
    n_layer: 1,
    n_positions: 8,
    vocab_size: 50,
  };
  const model = describeModel(config, []);
  const blocks = outputBlocks(model);
  const embedding = blocks.pop()!;
  assert.deepEqual(embedding, { weight: model.tokenEmbedding, start: 0, size: 1200 });
  for (const { weight, outputs } of modelLinears(model)) {
    const own = blocks.filter((block) => block.weight === weight);
    const covered = own.reduce((end, { start, size }) => {
      assert.equal(start, end);
      assert.equal(start % OUTPUT_ALIGNMENT, 0);
      assert.ok(size <= 1024);
      return start + size;
    }, 0);
    assert.equal(covered, weight === model.head.weight ? 0 : outputs);
  }
  assert.deepEqual(
    outputBlocks(describeModel({ ...config, n_embd: 768 }, [])).slice(0, 3).map(({ start }) =>
      start
    ),
    [0, 768, 1536],
  );
});
