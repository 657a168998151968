import assert from "node:assert";
import { describeModel } from "../architectures/registry.ts";
import { checkLayerMemory, checkResidentMemory, heapLimit, planMemory } from "./memory_plan.ts";

const gpt2 = (width: number, layers: number) =>
  describeModel({
    model_type: "gpt2",
    n_embd: width,
    n_head: width / 64,
    n_layer: layers,
    n_positions: 1024,
    vocab_size: 50257,
  }, []);
const demand = { copies: 2, batchTokens: 1024, contextLength: 512, backward: false };

Deno.test("small models stay in the heap, larger ones come layer by layer", () => {
  assert.ok(planMemory(gpt2(64, 2), demand).resident);
  const { resident, heapBytes } = planMemory(gpt2(768, 12), demand);
  assert.ok(!resident);
  // Neither all weights (2 GB) nor the whole head (0.6 GB), but a layer and the activations.
  assert.ok(heapBytes > 2 * 8 * 7e6 && heapBytes < 6e8, `${heapBytes}`);
});

Deno.test("a model of which not even one layer fits is refused with the figures", () => {
  const huge = gpt2(64 * 128, 2);
  assert.ok(planMemory(huge, { ...demand, copies: 0 }).heapBytes < heapLimit);
  assert.throws(() => planMemory(huge, demand), /needs about 1\d\.\d GB per worker at context 512/);
});

Deno.test("a model with a layer that fits nowhere is refused before it is read", () => {
  checkLayerMemory(gpt2(1600, 48));
  assert.throws(
    () => checkLayerMemory(gpt2(64 * 128, 2)),
    /one layer of the model needs about 6\.4 GB, more than the 3\.5 GB of a WASM heap; choose/,
  );
});

Deno.test("a model that must be in the heap whole is refused where it does not fit", () => {
  checkResidentMemory(gpt2(768, 12), "unused");
  assert.throws(
    () => checkResidentMemory(gpt2(1600, 48), "choose a smaller model"),
    /needs about 12\.5 GB .* 3\.5 GB of a WASM heap; choose a smaller model/,
  );
});
