import assert from "node:assert";
import { architectureCases } from "../testdata/architecture_models.ts";
import { describedMembers, unknownMember } from "./members.ts";
import { describeModel } from "./registry.ts";

function described(name: string) {
  return describeModel(architectureCases.find((one) => one.name === name)!.config, []);
}

const plain = ["layers.attention.rotary", "layers.feedForward.gate"];

Deno.test("what is not listed is refused by its name, wherever it is set", () => {
  assert.equal(unknownMember(described("llama"), plain), undefined);
  assert.equal(
    unknownMember(described("llama"), plain.slice(1)),
    "layers.attention.rotary.dimensions",
  );
  assert.equal(
    unknownMember(described("gemma"), [...plain, "embeddingScale"]),
    "norm.weightOffset",
  );
  assert.equal(unknownMember(described("olmo2"), plain), "layers.attention.allQueriesNorm");
  const joined = [
    ...plain,
    "layers.attention.projection.kind: joined",
    "layers.attention.projection.linear",
    "layers.attention.projection.order: byRole",
    "layers.attention.slidingWindow",
    "layers.feedForward.joinedGate",
  ];
  assert.equal(
    unknownMember(described("phi3"), joined),
    "layers.attention.projection: grouped byRole",
  );
  const grouped = [...joined, "layers.attention.projection: grouped byRole"];
  assert.equal(unknownMember(described("phi3"), grouped), undefined);
});

Deno.test("a member that nobody knows yet is refused", () => {
  const llama = described("llama");
  const layers = llama.layers.map((layer) => ({ ...layer, experts: 8 }));
  assert.equal(unknownMember({ ...llama, layers }, plain), "layers.experts");
  const norm = { ...llama.finalNorm!, power: 3 };
  assert.equal(unknownMember({ ...llama, finalNorm: norm }, plain), "norm.power");
});

Deno.test("a value that chooses how to compute counts, any other does not", () => {
  const members = describedMembers(described("stablelm, parallel"));
  assert.ok(members.has("layers.residual: parallel"));
  assert.ok(members.has("layers.attention.heads"));
});
