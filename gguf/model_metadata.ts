import type { GgufArchitecture, GgufRuns } from "../data/gguf/architecture.ts";
import { ggufArchitectures } from "../data/gguf/architectures.ts";
import type { GgufValue } from "../data/gguf/metadata_value.ts";
import { InputError } from "../data/input_error.ts";
import { quoteValue } from "../data/quote.ts";
import type { ModelConfig } from "../eval/architectures/config.ts";
import type {
  LayerDescription,
  NormDescription,
  TransformerDescription,
} from "../eval/architectures/description.ts";
import { type RotaryMetadata, rotaryMetadata } from "./rotary_metadata.ts";
import { count, flag, float } from "./values.ts";

const PARALLEL = "use_parallel_residual";

/** llama.cpp's architecture for a model; throws {@linkcode InputError} where it has none. */
export function ggufArchitectureFor(modelType: unknown): GgufArchitecture {
  const found = ggufArchitectures.find((architecture) => architecture.modelType === modelType);
  if (found !== undefined) return found;
  const known = ggufArchitectures.map((architecture) => architecture.modelType).join(", ");
  throw new InputError(
    `config.json: llama.cpp does not know models of type ${quoteValue(modelType)}, so that they ` +
      `cannot be written as GGUF; it knows ${known}`,
  );
}

/**
 * What a GGUF file says of a model's layers: numbers of everything, and rotary positions. Throws
 * {@linkcode InputError} for what llama.cpp would compute in another way.
 */
export function modelMetadata(
  model: TransformerDescription,
  config: ModelConfig,
  architecture: GgufArchitecture,
): RotaryMetadata {
  const [first] = model.layers;
  if (model.objective !== "nextToken" || first === undefined) {
    throw new InputError(
      "config.json: the model does not predict next tokens; only models that do can be written " +
        "as GGUF",
    );
  }
  checkRuns(model, architecture);
  const { attention, feedForward, attentionNorm } = first;
  const rotation = (model.layers.find(isGlobal) ?? first).attention.rotary;
  const rotary = rotation === undefined
    ? { entries: [], tensors: new Map<string, Float32Array>(), notes: [] }
    : rotaryMetadata(rotation, architecture);
  const described: readonly (readonly [string, GgufValue])[] = [
    ["vocab_size", count(model.vocabularySize)],
    ["context_length", count(contextLength(model))],
    ["embedding_length", count(model.hiddenSize)],
    ["block_count", count(model.layers.length)],
    ["feed_forward_length", count(feedForward.down.inputs)],
    ["attention.head_count", count(attention.heads)],
    ["attention.head_count_kv", count(attention.keyValueHeads)],
    ["attention.key_length", count(attention.headSize)],
    ["attention.value_length", count(attention.headSize)],
    [epsilonKey(attentionNorm), float(attentionNorm.epsilon)],
    ...beyondLlama(model, architecture),
    ...(architecture.config.some(([, key]) => key === PARALLEL)
      ? [[PARALLEL, flag(first.residual === "parallel")] as const]
      : []),
  ];
  const entries = new Map(described);
  // What the description does not have is what only this architecture has.
  for (const [key, value] of configEntries(config, architecture)) {
    if (!entries.has(key)) entries.set(key, value);
  }
  for (const [key, value] of rotary.entries) entries.set(key, value);
  return {
    entries: [...entries],
    tensors: rotary.tensors,
    notes: [...rotary.notes, ...windowNotes(model, architecture)],
  };
}

/** Whether a layer attends to all tokens and is rotated: its rotary positions are the file's. */
function isGlobal({ attention }: LayerDescription): boolean {
  return attention.slidingWindow === undefined && attention.rotary !== undefined;
}

/** Windows, caps and factors, as far as llama.cpp reads them. */
function beyondLlama(
  { layers, embeddingScale, logitScale, logitSoftCap }: TransformerDescription,
  { runs }: GgufArchitecture,
): readonly (readonly [string, GgufValue])[] {
  const { attention, residualScale } = layers[0]!;
  const window = runs.windowPeriod && layers.find(({ attention }) => attention.slidingWindow);
  const numbers: readonly (readonly [string, number | undefined])[] = [
    ["attn_logit_softcapping", attention.softCap],
    ["final_logit_softcapping", logitSoftCap],
    ...(runs.scales
      ? [
        ["attention.scale", attention.scale],
        ["embedding_scale", embeddingScale],
        ["residual_scale", residualScale],
        ["logit_scale", logitScale && 1 / logitScale],
      ] as const
      : []),
  ];
  return [
    ...(window
      ? [["attention.sliding_window", count(window.attention.slidingWindow!)] as const]
      : []),
    ...numbers.flatMap(([key, value]) => value === undefined ? [] : [[key, float(value)] as const]),
  ];
}

/** The rows of an architecture that its config has a value for. */
function* configEntries(
  config: ModelConfig,
  { config: rows }: GgufArchitecture,
): Generator<readonly [string, GgufValue]> {
  for (const [key, metadataKey, type] of rows) {
    const value = config[key];
    if (type === "bool" && typeof value === "boolean") yield [metadataKey, flag(value)];
    else if (type === "uint32" && Number.isInteger(value)) {
      yield [metadataKey, count(Number(value))];
    } else if (type === "float32" && typeof value === "number") yield [metadataKey, float(value)];
  }
}

function epsilonKey({ kind }: NormDescription): string {
  return kind === "rmsNorm" ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon";
}

/** llama.cpp does not scale for longer texts: the context is what it is without. */
function contextLength({ contextLength, layers }: TransformerDescription): number {
  const scaling = layers[0]?.attention.rotary?.scaling;
  return scaling?.kind === "dynamic" ? scaling.originalContextLength : contextLength;
}

function checkRuns(model: TransformerDescription, { name, runs }: GgufArchitecture): void {
  const { activation } = model.layers[0]!.feedForward;
  if (!runs.activations.includes(activation)) {
    throw new InputError(
      `config.json: the activation function is ${activation}, but llama.cpp's architecture ${name} ` +
        `has ${runs.activations[0]}; write the model without --gguf`,
    );
  }
  checkLayers(model, name, runs);
  for (const { attention } of runs.scales ? [] : model.layers) {
    const { heads, headSize } = attention;
    const sizes = { layers: model.layers.length, hiddenSize: model.hiddenSize, heads, headSize };
    const usual = runs.scoreScale?.(sizes) ?? headSize ** -0.5;
    if (Math.abs(attention.scale - usual) <= 1e-6 * usual) continue;
    throw new InputError(
      `config.json: attention is scaled by ${attention.scale}, but llama.cpp's architecture ${name} ` +
        `scales it by ${usual}; write the model without --gguf`,
    );
  }
}

/** Throws where layers differ in another way than llama.cpp takes them to. */
function checkLayers({ layers }: TransformerDescription, name: string, runs: GgufRuns): void {
  const { windowPeriod, windowTheta, rotaryPeriod } = runs;
  const windows = new Set(layers.map(({ attention }) => attention.slidingWindow));
  for (const [index, { attention: { slidingWindow, rotary } }] of layers.entries()) {
    const refuse = (found: string, wanted: string) => {
      throw new InputError(
        `config.json: layer ${index} ${found}, but llama.cpp's architecture ${name} ${wanted}; ` +
          "write the model without --gguf",
      );
    };
    const isEvery = (period: number) => (index + 1) % period === 0;
    if (windowPeriod !== undefined && windows.size > 1) {
      if (isEvery(windowPeriod) !== (slidingWindow === undefined)) {
        refuse(
          slidingWindow === undefined ? "has no sliding window" : "has a sliding window",
          `leaves it out in every layer of ${windowPeriod}`,
        );
      }
    }
    if (windowTheta !== undefined && slidingWindow !== undefined && rotary?.theta !== windowTheta) {
      refuse(`has a base of ${rotary?.theta}`, `has ${windowTheta} where there is a window`);
    }
    if (rotaryPeriod !== undefined && isEvery(rotaryPeriod) !== (rotary === undefined)) {
      refuse(
        rotary === undefined ? "is not rotated" : "is rotated",
        `leaves out every layer of ${rotaryPeriod}`,
      );
    }
  }
}

function windowNotes(
  { layers, contextLength }: TransformerDescription,
  { runs }: GgufArchitecture,
): readonly string[] {
  const windows = layers.map(({ attention }: LayerDescription) =>
    attention.slidingWindow ?? Infinity
  );
  const narrowest = Math.min(...windows);
  if (runs.windowPeriod !== undefined || narrowest >= contextLength) return [];
  return [
    `llama.cpp has no sliding window in this architecture: texts longer than ${narrowest} tokens ` +
    "will differ",
  ];
}
