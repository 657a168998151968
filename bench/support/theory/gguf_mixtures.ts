import { type WeightTensor, withValues } from "../../../data/tensor.ts";
import { type Baseline, BASELINES } from "../../../baselines/mod.ts";

/**
 * Which GGUF type llama.cpp's file types give each kind of matrix of a GPT-2, as its file sizes bear
 * out: `q2_k`, `q3_k_m` and so on store a mixture. The head (here the tied embedding) is Q6_K unless
 * said otherwise, position embeddings stay f32.
 */
interface Mixture {
  /** Of the embedding of inputs, where it is stored apart from the head. */
  readonly inputEmbedding: string;
  readonly head?: string;
  readonly queryKeyValue: string;
  readonly attentionOutput: string;
  readonly feedForwardUp: string;
  /** By the layer's number and the number of layers. */
  readonly feedForwardDown: string | ((layer: number, layers: number) => string);
}

/** Bytes and mean divergence of llama.cpp's own files of prose-4m, from that model's README.md. */
export const LLAMA_CPP_FILES: ReadonlyMap<string, { bytes: number; klDivergence: number }> =
  new Map([
    ["Q8_0", { bytes: 4_773_888, klDivergence: 0.00028 }],
    ["Q6_K", { bytes: 3_758_080, klDivergence: 0.0016 }],
    ["Q4_K_M", { bytes: 3_180_544, klDivergence: 0.00587 }],
    ["Q4_K_S", { bytes: 2_947_072, klDivergence: 0.00723 }],
    ["Q3_K_M", { bytes: 2_807_808, klDivergence: 0.0201 }],
    ["Q2_K", { bytes: 2_342_912, klDivergence: 0.0915 }],
  ]);

const MIXTURES: Readonly<Record<string, Mixture>> = {
  Q8_0: { head: "q8_0", ...all("q8_0") },
  Q6_K: all("q6_k"),
  Q4_K_M: {
    ...all("q4_k"),
    queryKeyValue: "q5_k",
    // The first eighth, the last eighth and every third layer between get more bits.
    feedForwardDown: (layer, layers) => {
      const eighth = Math.floor(layers / 8);
      const isMore = layer < eighth || layer >= Math.floor(7 * layers / 8) ||
        (layer - eighth) % 3 === 2;
      return isMore ? "q6_k" : "q4_k";
    },
  },
  Q4_K_S: all("q4_k"),
  Q3_K_M: {
    inputEmbedding: "q3_k",
    queryKeyValue: "q4_k",
    attentionOutput: "q4_k",
    feedForwardUp: "q3_k",
    feedForwardDown: (layer, layers) => layer < Math.floor(layers / 16) ? "q5_k" : "q4_k",
  },
  Q2_K: {
    inputEmbedding: "q2_k",
    queryKeyValue: "q2_k",
    attentionOutput: "q3_k",
    feedForwardUp: "q2_k",
    feedForwardDown: "q3_k",
  },
};

function all(type: string): Mixture {
  return {
    inputEmbedding: type,
    queryKeyValue: type,
    attentionOutput: type,
    feedForwardUp: type,
    feedForwardDown: type,
  };
}

/** The baseline that a mixture is, for a GPT-2 of this many layers; undefined for no such name. */
export function ggufMixture(name: string, layers: number): Baseline | undefined {
  const mixture = MIXTURES[name];
  if (mixture === undefined) return undefined;
  return (weights, hessian) => {
    const type = typeOf(mixture, weights.name, layers);
    if (type === "f32") {
      return { reconstruction: weights.data, bytes: 4 * weights.data.length };
    }
    return BASELINES.get(type)!(weights, hessian);
  };
}

/**
 * The embedding of inputs as a mixture has it. llama.cpp stores it apart from the head even where the
 * model ties them, and has no importance matrix for it.
 */
export function ggufInputEmbedding(name: string, embedding: WeightTensor): WeightTensor {
  const [rows, columns] = embedding.shape as [number, number];
  const baseline = BASELINES.get(MIXTURES[name]!.inputEmbedding)!;
  const matrix = { name: "embedding of inputs", rows, columns, data: embedding.data };
  return withValues(embedding, baseline(matrix).reconstruction);
}

/** The type of a matrix of GPT-2's by its name in the checkpoint. */
function typeOf(mixture: Mixture, name: string, layers: number): string {
  if (name.endsWith("wpe.weight")) return "f32";
  if (name.endsWith("attn.c_attn.weight")) return mixture.queryKeyValue;
  if (name.endsWith("attn.c_proj.weight")) return mixture.attentionOutput;
  if (name.endsWith("mlp.c_fc.weight")) return mixture.feedForwardUp;
  if (name.endsWith("mlp.c_proj.weight")) {
    const { feedForwardDown: type } = mixture;
    const layer = Number(/\.h\.(\d+)\./.exec(name)![1]);
    return typeof type === "string" ? type : type(layer, layers);
  }
  return mixture.head ?? "q6_k";
}
