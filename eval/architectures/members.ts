import type { TransformerDescription } from "./description.ts";

/** What everything that runs descriptions of models that predict next tokens knows. */
const plainMembers: readonly string[] = [
  "modelType",
  "objective: nextToken",
  "vocabularySize",
  "hiddenSize",
  "contextLength",
  "tokenEmbedding",
  "layers.attentionNorm",
  "layers.attention.heads",
  "layers.attention.keyValueHeads",
  "layers.attention.headSize",
  "layers.attention.scale",
  "layers.attention.projection.kind: separate",
  "layers.attention.projection.query",
  "layers.attention.projection.key",
  "layers.attention.projection.value",
  "layers.attention.output",
  "layers.feedForwardNorm",
  "layers.feedForward.activation",
  "layers.feedForward.up",
  "layers.feedForward.down",
  "layers.residual: sequential",
  "finalNorm",
  "head",
  "norm.kind: layerNorm",
  "norm.kind: rmsNorm",
  "norm.weight",
  "norm.bias",
  "norm.size",
  "norm.epsilon",
  "linear.weight",
  "linear.bias",
  "linear.inputs",
  "linear.outputs",
  "linear.layout: inputsByOutputs",
  "linear.layout: outputsByInputs",
];

/** Members whose value chooses between ways to compute: it is part of what must be known. */
const choices = new Set(["kind", "layout", "objective", "order", "residual"]);

/**
 * What a description has, by the paths of its members: `layers.attention.softCap`, or
 * `layers.residual: parallel` where the value chooses what is computed. What is within a linear layer
 * or a norm is called alike wherever that is: `norm.weightOffset`. A joined projection with fewer keys
 * than queries has `layers.attention.projection: grouped byRole`, or `byHead`.
 */
export function describedMembers(model: TransformerDescription): Set<string> {
  const members = new Set<string>();
  const visit = (value: unknown, path: string) => {
    if (value === undefined) return;
    if (Array.isArray(value)) return value.forEach((one) => visit(one, path));
    if (typeof value !== "object" || value === null) return void members.add(path);
    const shared = "epsilon" in value ? "norm" : "layout" in value ? "linear" : undefined;
    if (shared !== undefined) members.add(path);
    const start = path === "" ? "" : `${shared ?? path}.`;
    for (const [key, member] of Object.entries(value)) {
      visit(member, `${start}${key}${choices.has(key) ? `: ${member}` : ""}`);
    }
  };
  visit(model, "");
  for (const { attention: { projection, heads, keyValueHeads } } of model.layers) {
    if (projection.kind === "joined" && keyValueHeads < heads) {
      members.add(`layers.attention.projection: grouped ${projection.order}`);
    }
  }
  return members;
}

/**
 * The first member of a description that something which runs descriptions does not know. Everything
 * knows what all models that predict next tokens have; `known` lists what else it does, where
 * `layers.attention.rotary` stands for all that is within it. Members that are added to descriptions
 * later are unknown until they are listed, so that nothing ignores them.
 *
 * ```ts
 * import { describeModel } from "@kanpress/kanpress/eval/architectures";
 * import { unknownMember } from "./members.ts";
 * import assert from "node:assert";
 *
 * const config = { model_type: "gpt2", n_embd: 8, n_head: 2, n_layer: 1, n_positions: 16 };
 * const model = describeModel({ ...config, vocab_size: 10 }, []);
 * const known = ["layers.attention.projection"];
 * assert.equal(unknownMember(model, known), "positionEmbedding");
 * assert.equal(unknownMember(model, [...known, "positionEmbedding"]), undefined);
 * ```
 */
export function unknownMember(
  model: TransformerDescription,
  known: readonly string[],
): string | undefined {
  const all = [...plainMembers, ...known];
  return [...describedMembers(model)].find((member) =>
    !all.some((path) => member === path || member.startsWith(`${path}.`))
  );
}
