import { ggufArchitectures } from "../../data/gguf/architectures.ts";
import { InputError } from "../../data/input_error.ts";
import type { ModelConfig } from "../architectures/config.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { describedMembers } from "../architectures/members.ts";
import { architectures, describeModel } from "../architectures/registry.ts";
import { languageModelGraph } from "../onnx/language_model_graph.ts";
import { whyUnsupported } from "../webgpu/supported.ts";
import { architectureCases, formulaWeights } from "./architecture_models.ts";

/** What members of descriptions are called on the page. */
export const memberTexts: ReadonlyMap<string, string> = new Map([
  ["positionEmbedding", "learned positions"],
  ["positionOffset", "positions from 2 on"],
  ["layers.attention.rotary", "rotary positions"],
  ["layers.attention.slidingWindow", "sliding windows"],
  ["layers.attention.projection.kind: joined", "queries, keys and values in one matrix"],
  ["layers.attention.queryNorm", "norms of each head's queries and keys"],
  ["layers.attention.allQueriesNorm", "norms of all queries and of all keys"],
  ["layers.attention.softCap", "capped scores"],
  ["layers.feedForward.gate", "gates"],
  ["layers.feedForward.joinedGate", "gates in one matrix with what they gate"],
  ["layers.attentionOutputNorm", "norms before and after blocks"],
  ["layers.residual: parallel", "blocks in parallel"],
  ["layers.residual: outputNorm", "norms after blocks"],
  ["layers.residual: postNorm", "norms after sums"],
  ["layers.residualScale", "scaled blocks"],
  ["norm.weightOffset", "scales stored less 1"],
  ["embeddingScale", "a scaled embedding"],
  ["embeddingNorm", "a norm of the embedding"],
  ["headTransform", "a head of two layers"],
  ["logitScale", "scaled logits"],
  ["logitSoftCap", "capped logits"],
  // Told with another, or not at all.
  ["layers.attention.keyNorm", ""],
  ["layers.attention.allKeysNorm", ""],
  ["layers.feedForwardOutputNorm", ""],
  ["layers.attention.projection: grouped byRole", ""],
  ["layers.attention.projection: grouped byHead", ""],
  ["layers.attention.projection.linear", ""],
  ["layers.attention.projection.order: byRole", ""],
  ["layers.attention.projection.order: byHead", ""],
  ["objective: maskedToken", ""],
  ["objective: classification", ""],
]);

/** Where the page is. */
export const pagePath = new URL("../../docs/architectures.md", import.meta.url).pathname;

const introduction = `# Architectures

Models of these families can be compressed, calibrated and measured: \`model_type\` of \`config.json\`
says which one a model is of. A small model of each is compared with transformers, whose logits it
gives to 1e-4, at once and token by token; so are its gradients with finite differences.

This page is written by \`deno task architectures\` from the
[registry](../eval/architectures/registry.ts). [Another one](adding-an-architecture.md) is the work of
an hour.

- **WebGPU:** \`--backend webgpu\` runs it by programs of our own. Others run there too, but slower.
- **ONNX:** \`decompress --onnx\` writes it.
- **GGUF:** \`decompress --gguf\` writes it for llama.cpp, whose files of it are read: [GGUF](gguf.md).

"In part" means: not every kind of it; what is not possible is refused by name.
`;

const columns = [
  "`model_type`",
  "models",
  "what it has",
  "WebGPU",
  "ONNX",
  "GGUF",
];

/** docs/architectures.md: what the registry says, and what runs its descriptions. */
export function architecturesPage(): string {
  const rows = architectures.map(({ modelType, models }) => {
    const kinds = architectureCases.filter(({ config }) => config.model_type === modelType)
      .map(({ config }) => ({ config, description: describeModel(config, []) }));
    return [
      `\`${modelType}\``,
      models,
      featuresOf(kinds.map(({ description }) => description)),
      verdict(kinds.map(({ description }) => runsOnWebGpu(description))),
      verdict(kinds.map(({ config }) => isWrittenAsOnnx(config))),
      verdict([ggufArchitectures.some((known) => known.modelType === modelType)]),
    ];
  });
  const table = [columns, columns.map(() => "---"), ...rows];
  return [introduction, ...table.map((cells) => `| ${cells.join(" | ")} |`), ""].join("\n");
}

function verdict(kinds: readonly boolean[]): string {
  if (kinds.every((can) => can)) return "yes";
  return kinds.some((can) => can) ? "in part" : "no";
}

function featuresOf(models: readonly TransformerDescription[]): string {
  const members = new Set(models.flatMap((model) => [...describedMembers(model)]));
  const layerNorms = members.has("norm.kind: layerNorm") ? "layer norms" : "RMS norms";
  const told = [...memberTexts].filter(([path, text]) =>
    text !== "" &&
    members.values().some((member) => member === path || member.startsWith(`${path}.`))
  );
  const rotations = models.flatMap(({ layers }) => [
    new Set(layers.map(({ attention: { rotary } }) => JSON.stringify(rotary) ?? "none")),
  ]);
  const differ = rotations.find(({ size }) => size > 1);
  return [
    layerNorms,
    ...told.map(([, text]) => text),
    ...(differ === undefined
      ? []
      : [differ.has("none") ? "layers without positions" : "two kinds of rotary positions"]),
  ].join(", ");
}

function runsOnWebGpu(model: TransformerDescription): boolean {
  // The models recorded are smaller than the device's units.
  return whyUnsupported(model, { largestBinding: 2 ** 30 }, 16) === undefined;
}

function isWrittenAsOnnx(config: ModelConfig): boolean {
  try {
    languageModelGraph(config, formulaWeights(config));
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

if (import.meta.main) await Deno.writeTextFile(pagePath, architecturesPage());
