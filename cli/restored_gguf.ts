import { basename, join } from "node:path";
import { type ByteSource, readAll } from "../data/byte_source.ts";
import { InputError } from "../data/input_error.ts";
import { readJsonObject } from "../data/json_file.ts";
import { printableLine } from "../data/printable.ts";
import type { StateDict, WeightSource } from "../data/tensor.ts";
import { writeFileAtomically } from "../data/write_file.ts";
import type { ModelConfig } from "../eval/architectures/config.ts";
import { formatBytes, formatCount } from "../eval/report/number_text.ts";
import { type GgufModel, type GgufPlan, planGguf } from "../gguf/plan_gguf.ts";
import { QuantizeWorkers } from "../gguf/quantize_workers.ts";
import type { GgufWeightType } from "../gguf/tensor_types.ts";
import type { TokenizerFiles } from "../gguf/tokenizer_metadata.ts";
import { containerWeights } from "../hierarchy/container_weights.ts";
import { decodeContainer } from "../hierarchy/decode_container.ts";
import type { Container } from "../hierarchy/file/container.ts";
import { decodesApart } from "../hierarchy/file/decode_groups.ts";
import { type CardOrigin, hubIdOf, licencesIn } from "./compress/model_card.ts";
import { isNamed } from "./input/find_companions.ts";
import { GGUF_WRITER, ggufFile } from "./output/kinds.ts";
import { openOutput } from "./output/output.ts";
import { naming, UsageError } from "./terminal/errors.ts";
import type { Progress } from "./terminal/phases.ts";
import type { Run } from "./terminal/run.ts";

/** How the name of a GGUF file ends. */
export const GGUF_SUFFIX = ".gguf";

/** A compressed model with all that belongs to it. */
export interface RestoredModel {
  /** The compressed weights. */
  readonly container: Container;
  /** Its tokenizer and other files. */
  readonly companions: readonly ByteSource[];
  /** Its card and licence. */
  readonly documents: readonly ByteSource[];
  /** What these tell of the original. */
  readonly origin: CardOrigin;
  /** Its config. */
  readonly config: ModelConfig;
}

/** What is asked of `decompress` about a GGUF file. */
export interface GgufFileOptions {
  /** The file to write. */
  readonly out: string;
  /** Type of its matrices. */
  readonly gguf?: GgufWeightType;
  /** Element type of the weights beside a GGUF file, of which there are none beside one alone. */
  readonly dtype: string;
  /** ONNX files, which have no place beside a file alone. */
  readonly onnx?: unknown;
  /** One JSON object on stdout instead of text for people. */
  readonly json?: true;
}

/**
 * Writes a model as one GGUF file, decoded and quantized one tensor at a time where the compressed
 * file allows it.
 */
export async function writeGgufFile(
  model: RestoredModel,
  { out, gguf, onnx, dtype, json }: GgufFileOptions,
  run: Run,
): Promise<void> {
  if (gguf === undefined) {
    throw new UsageError(`--out ${out}: say the type of its matrices with --gguf, such as q8_0`);
  }
  const ignored = onnx !== undefined ? "--onnx" : dtype !== "f32" ? `--dtype ${dtype}` : undefined;
  if (ignored !== undefined) {
    throw new UsageError(
      `${ignored} has no effect here: --out ${out} is a GGUF file alone; name a folder or leave ` +
        "it out",
    );
  }
  const { container, documents } = model;
  using output = await openOutput(out, ggufFile);
  const weights = decodesApart(container)
    ? containerWeights(container, { signal: run.signal })
    : decodedAtOnce(container, decodeOnce(container, run));
  const plan = await planRestored(model, weights, gguf, run);
  const licences = licencesIn(documents).map(({ name }) => basename(name));
  if (licences.length > 0) run.writeLine(`the text of ${licences.join(", ")} is not in the file`);
  if (output.replaces) run.writeLine(`replacing ${out}`);
  await run.phase("write", (progress) =>
    output.publish((folder) =>
      naming(
        container.file ?? "the model",
        () => writePlan(plan, join(folder, basename(out)), progress, run),
      )
    ));
  const { byteLength, tensorCount } = plan;
  if (json) run.printJson({ out, gguf, tensors: tensorCount, bytes: byteLength });
  else {
    run.print(
      `${formatCount(tensorCount)} tensors as ${gguf}, ${formatBytes(byteLength)}\n` +
        `written to ${printableLine(out)}`,
    );
  }
}

/** Plans the GGUF file of a model, and says what llama.cpp will do in another way. */
export async function planRestored(
  { container, companions, origin, config }: RestoredModel,
  weights: WeightSource,
  gguf: GgufWeightType,
  run: Run,
): Promise<GgufPlan> {
  const file = container.file ?? "the model";
  const tokenizer = await readTokenizerFiles(companions);
  if (tokenizer === undefined) {
    throw new InputError(
      `${file}: llama.cpp needs a model's tokenizer, and none was found; name the model that it was ` +
        "made from with --original",
    );
  }
  const { aliases } = container;
  const model: GgufModel = {
    config,
    weights,
    aliases,
    tokenizer,
    general: generalMetadata(origin),
  };
  const plan = await naming(file, () => planGguf(model, gguf));
  for (const note of plan.notes) run.writeLine(note);
  return plan;
}

/** Writes a planned file, quantized on all cores. */
export async function writePlan(
  plan: GgufPlan,
  path: string,
  progress: Progress,
  { signal }: Run,
): Promise<void> {
  using workers = new QuantizeWorkers(navigator.hardwareConcurrency, signal);
  const chunks = plan.chunks({ progress, quantize: workers.quantize });
  await writeFileAtomically(path, chunks, { signal });
}

/** Decodes all weights of a model as a phase, once, when they are first wanted. */
export function decodeOnce(container: Container, run: Run): () => Promise<StateDict> {
  let weights: Promise<StateDict> | undefined;
  const work = () => decodeContainer(container, { signal: run.signal });
  return () => weights ??= run.phase("decompress", work);
}

/** The weights of a compressed model, all of which `decode` gives when one is wanted. */
export function decodedAtOnce(
  { tensors, aliases }: Container,
  decode: () => Promise<StateDict>,
): WeightSource {
  const stored = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return {
    tensors: [...stored.keys(), ...aliases.keys()].map((name) => {
      const { dtype, shape } = stored.get(aliases.get(name) ?? name)!;
      return { name, dtype, shape };
    }),
    read: async (name) => (await decode()).get(name)!,
  };
}

async function readTokenizerFiles(
  companions: readonly ByteSource[],
): Promise<TokenizerFiles | undefined> {
  const find = (name: string) => companions.find((file) => isNamed(file.name, name));
  const read = async (name: string) => {
    const file = find(name);
    return file === undefined ? undefined : await readJsonObject(file);
  };
  const tokenizer = await read("tokenizer.json");
  if (tokenizer === undefined) return undefined;
  const template = find("chat_template.jinja");
  const inJson = (await read("chat_template.json"))?.["chat_template"];
  return {
    tokenizer,
    settings: await read("tokenizer_config.json"),
    specialTokensMap: await read("special_tokens_map.json"),
    chatTemplate: template !== undefined
      ? new TextDecoder().decode(await readAll(template))
      : typeof inJson === "string"
      ? inJson
      : undefined,
  };
}

/** What a GGUF file says of where a model comes from, and under which licence it is. */
function generalMetadata(
  { source, head, licences }: CardOrigin,
): NonNullable<GgufModel["general"]> {
  const hubId = hubIdOf(source);
  const name = hubId?.split("/")[1] ?? source;
  const [file] = licences;
  const license = head["license"] ?? (file === undefined ? undefined : "other");
  const link = head["license_link"] ?? ("license" in head ? undefined : file);
  const { language } = head;
  const entries = {
    "general.name": name,
    "general.quantized_by": GGUF_WRITER,
    "general.license": license,
    "general.license.name": head["license_name"],
    "general.license.link": link,
    "general.languages": typeof language === "string" ? [language] : language,
    ...(hubId !== undefined && {
      "general.base_model.count": 1,
      "general.base_model.0.name": name,
      "general.base_model.0.organization": hubId.split("/")[0],
      "general.base_model.0.repo_url": `https://huggingface.co/${hubId}`,
    }),
  };
  return Object.fromEntries(
    Object.entries(entries).filter(([, value]) => value !== undefined),
  ) as NonNullable<GgufModel["general"]>;
}
