import type { ChatTemplate } from "../../data/chat/chat_template.ts";
import { readChatTemplate } from "../../data/chat/read_chat_template.ts";
import { bytesPerElement } from "../../data/dtype.ts";
import { InputError } from "../../data/input_error.ts";
import { readJsonObject } from "../../data/json_file.ts";
import { readTextTokenizer } from "../../data/read_tokenizer.ts";
import { elementCount } from "../../data/tensor.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import { endTokens } from "../../eval/generation/end_tokens.ts";
import { readMeasuredTable } from "../../eval/report/measured_table.ts";
import { type DecodedModel, decodeModel, type OnProgress, stopwatch } from "./decoded_model.ts";
import type { Engine } from "./engine.ts";
import type { EngineName, ModelFacts, ModelOrigin } from "./messages.ts";
import { otherSizes } from "./other_sizes.ts";

/** A decoded model that can write. */
export interface LoadedModel {
  /** What continues tokens. */
  readonly engine: Engine;
  /** Its tokenizer. */
  readonly tokenizer: TextTokenizer;
  /** Its chat template, if it was trained to chat. */
  readonly chatTemplate?: ChatTemplate;
  /** Tokens that end what it writes. */
  readonly ends: readonly number[];
  /** What the page shows of it. */
  readonly facts: ModelFacts;
}

/**
 * Reads, decodes and starts a model, with the code that Deno runs. Throws an {@linkcode InputError}
 * where the file or its tokenizer cannot be used.
 */
export async function loadModel(
  origin: ModelOrigin,
  wanted: EngineName,
  onProgress: OnProgress,
): Promise<LoadedModel> {
  const decoded = await decodeModel(origin, wanted, onProgress);
  const { config, tensors } = decoded;
  onProgress({ activity: "starting" });
  const clock = stopwatch();
  const engine = await decoded.engine.start();
  const start = clock();
  const tokenizer = await parseTokenizer(decoded, engine.vocabularySize);
  const chatTemplate = await readChatTemplate(decoded.companions, config);
  const generation = await readCompanion(decoded, "generation_config.json");
  const measured = readMeasuredTable(await readText(decoded, "README.md") ?? "");
  const facts: ModelFacts = {
    name: decoded.name,
    fileBytes: decoded.bytes,
    originalBytes: tensors.reduce(
      (sum, { dtype, shape }) => sum + bytesPerElement(dtype) * elementCount(shape),
      0,
    ),
    otherSizes: otherSizes({ config, tensors, tokenizer: await tokenizerFiles(decoded) }),
    ...(measured.length > 0 && { measured }),
    parameters: tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    memoryBytes: engine.memoryBytes,
    engine: engine.name,
    ...(engine.note !== undefined && { engineNote: engine.note }),
    chats: chatTemplate !== undefined,
    seconds: { ...decoded.seconds, start },
    hash: decoded.hash,
  };
  const ends = endTokens(config, tokenizer, generation);
  return { engine, tokenizer, ...(chatTemplate && { chatTemplate }), ends, facts };
}

type Companions = Pick<DecodedModel, "companions">;

function find({ companions }: Companions, name: string) {
  return companions.find((file) => file.name === name);
}

async function readCompanion(model: Companions, name: string) {
  const file = find(model, name);
  return file && await readJsonObject(file);
}

async function readText(model: Companions, name: string): Promise<string | undefined> {
  const file = find(model, name);
  return file && new TextDecoder().decode(await file.read(0, file.byteLength));
}

/** The tokenizer's files as those read them who write GGUF. */
async function tokenizerFiles(model: Companions) {
  return {
    tokenizer: (await readCompanion(model, "tokenizer.json"))!,
    settings: await readCompanion(model, "tokenizer_config.json"),
    specialTokensMap: await readCompanion(model, "special_tokens_map.json"),
    chatTemplate: await readText(model, "chat_template.jinja"),
  };
}

/** The tokenizer, if it has no more tokens than the model. */
async function parseTokenizer(
  { name, config, ...files }: DecodedModel,
  vocabularySize: number,
): Promise<TextTokenizer> {
  const tokenizer = await readTextTokenizer(
    find(files, "tokenizer.json")!,
    find(files, "tokenizer_config.json"),
    config,
    find(files, "special_tokens_map.json"),
  );
  if (tokenizer.vocabularySize <= vocabularySize) return tokenizer;
  throw new InputError(
    `${name}: the tokenizer has ${tokenizer.vocabularySize} tokens, the model ${vocabularySize}; ` +
      "choose the model's own tokenizer.json with it",
  );
}
