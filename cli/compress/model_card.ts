import { type ByteSource, readAll } from "../../data/byte_source.ts";
import { formatFrontMatter, type FrontMatter, parseFrontMatter } from "../../data/front_matter.ts";
import { fileNameOf } from "../../data/file_name.ts";
import { cardName } from "../../data/model_files.ts";
import { isHubId } from "../../data/hub_model.ts";
import { printableLine } from "../../data/printable.ts";
import { MEASURED_HEADING, sectionOf } from "../../eval/report/measured_table.ts";
import { type OnnxWeightType, transformersTypes } from "../../eval/onnx/onnx_types.ts";
import { formatBytes, formatFixed } from "../../eval/report/number_text.ts";
import { COMPRESSED_NAME } from "../input/compressed_argument.ts";
import { isNamed } from "../input/find_companions.ts";
import { HUB_PREFIX } from "../input/model_names.ts";
import { isOwnCard } from "../output/written_files.ts";
import type { Measured } from "./report.ts";
import { quantizationNotes } from "../evaluate/quantization_note.ts";
import { describeTokens, qualityRows, sizeRows } from "../evaluate/comparison.ts";
import type { Sizes } from "../evaluate/sizes.ts";
import { describeQuestions, taskRows } from "../evaluate/task_report.ts";

/** What of the original's card is true of a compressed model too, as the hub names it. */
const KEPT_KEYS = ["license", "license_name", "license_link", "language", "pipeline_tag"] as const;
const PROJECT = "kanpress (`jsr:@kanpress/kanpress`)";

/** What a card tells of the model that was compressed. */
export interface CardOrigin {
  /** What the compressed file records: `hf://owner/name`, or a name without a place. */
  readonly source: string | undefined;
  /** The head of its card. */
  readonly head: FrontMatter;
  /** Names of the licence files that come along. */
  readonly licences: readonly string[];
  /** What an earlier card of ours says of the measurement, with its heading. */
  readonly measured?: string;
}

/** Reads what a model's card and licence files, such as {@linkcode ModelSource.documents}, tell. */
export async function readCardOrigin(
  source: string | undefined,
  documents: readonly ByteSource[],
): Promise<CardOrigin> {
  const card = documents.find(({ name }) => isNamed(name, cardName));
  const text = card === undefined ? "" : new TextDecoder().decode(await readAll(card));
  const licences = documents.filter((file) => file !== card).map(({ name }) => fileNameOf(name));
  const measured = isOwnCard(text) ? sectionOf(text, MEASURED_HEADING) : undefined;
  const head = parseFrontMatter(text);
  return { source, head, licences, ...(measured === undefined ? {} : { measured }) };
}

/** The files that come along with a model and are not its card: the licence. */
export function licencesIn(documents: readonly ByteSource[]): ByteSource[] {
  return documents.filter(({ name }) => !isNamed(name, cardName));
}

/** The card of a folder that `compress` writes; without `measured`, before it is measured. */
export function compressedCard(origin: CardOrigin, sizes: Sizes, measured: Measured = {}): string {
  const { bitsPerWeight, originalBytes, compressedBytes } = sizes;
  const { result, task } = measured;
  const rows = [
    ...sizeRows(sizes),
    ...(result === undefined ? [] : qualityRows(result)),
    ...(task === undefined ? [] : taskRows(task)),
  ];
  return [
    headOf(origin, "kanpress"),
    `# ${titleOf(origin)} at ${formatFixed(bitsPerWeight, 2)} bits per weight`,
    `${linkTo(origin)}, compressed with ${PROJECT} from ${formatBytes(originalBytes)} to ` +
    `${
      formatBytes(compressedBytes)
    }. \`${COMPRESSED_NAME}\` holds all of its weights. kanpress runs ` +
    "it from whole numbers of a byte or two a weight; other programs expand it first.",
    MEASURED_HEADING,
    markdownTable(["", "original", "compressed", ""], rows),
    [describeMeasurement(measured), ...quantizationNotes(sizes.originalQuantization)]
      .map((sentence) => sentence.replace(/[^.]$/, "$&."))
      .join(" "),
    "## Use",
    "Write a folder that transformers can load:",
    code("sh", "deno run --allow-all jsr:@kanpress/kanpress/cli decompress . --out ../restored"),
    "Or read the weights in a program, for Deno, Node or a browser:",
    code(
      "ts",
      'import { decompressWeights } from "@kanpress/kanpress/decompress";\n\n' +
        `const bytes = await Deno.readFile("${COMPRESSED_NAME}");\n` +
        "const weights = await decompressWeights(bytes);",
    ),
    ...licence(origin),
  ].join("\n\n") + "\n";
}

/** The card of a folder that `decompress` writes. */
export function restoredCard(
  origin: CardOrigin,
  { dtype, onnx, gguf, architecture }: {
    readonly dtype: string;
    /** Types of ONNX files that are there. */
    readonly onnx: readonly OnnxWeightType[];
    /** Whether `model.gguf` is there too. */
    readonly gguf?: boolean;
    /** Class of transformers that `config.json` names. */
    readonly architecture?: string | undefined;
  },
): string {
  const auto = /(ForCausalLM|LMHeadModel)$/.test(architecture ?? "")
    ? "AutoModelForCausalLM"
    : /ForMaskedLM$/.test(architecture ?? "")
    ? "AutoModelForMaskedLM"
    : /ForSequenceClassification$/.test(architecture ?? "")
    ? "AutoModelForSequenceClassification"
    : "AutoModel";
  return [
    headOf(origin, "transformers"),
    `# ${titleOf(origin)}, compressed and expanded again`,
    `${linkTo(origin)}, compressed with ${PROJECT} and written as an ordinary model again, in ` +
    `${dtype}. What compression changed stays changed.`,
    ...(origin.measured === undefined ? [] : [origin.measured]),
    "## Use",
    code(
      "python",
      `from transformers import ${auto}, AutoTokenizer\n\n` +
        `model = ${auto}.from_pretrained(".")\ntokenizer = AutoTokenizer.from_pretrained(".")`,
    ),
    ...useOfOnnx(onnx, auto),
    ...(gguf ? ["`model.gguf` is for llama.cpp:", code("sh", "llama-cli -m model.gguf")] : []),
    ...licence(origin),
  ].join("\n\n") + "\n";
}

/** What transformers.js does with the models of each class of transformers, by an example. */
const PIPELINES: Readonly<Record<string, readonly [task: string, call: string]>> = {
  AutoModelForMaskedLM: ["fill-mask", '"The capital of France is [MASK]."'],
  AutoModelForSequenceClassification: ["text-classification", '"I like it."'],
};

function useOfOnnx(types: readonly OnnxWeightType[], auto: string): string[] {
  if (types.length === 0) return [];
  const [task, call] = PIPELINES[auto] ??
    ["text-generation", '"Once upon a time", { add_special_tokens: true, max_new_tokens: 40 }'];
  const list = types.map((type) => `\`${transformersTypes[type]}\``).join(", ");
  const first = transformersTypes[types.includes("q8") ? "q8" : types[0]!];
  return [
    `The folder \`onnx\` is for ONNX Runtime and transformers.js, which has a \`dtype\` for each file ` +
    `(${list}):`,
    code(
      "js",
      'import { pipeline } from "@huggingface/transformers";\n\n' +
        `const run = await pipeline("${task}", ".", { dtype: "${first}" });\n` +
        `console.log(await run(${call}));`,
    ),
  ];
}

/** What the card of a folder tells that is made to be published. */
export interface Publication {
  readonly bitsPerWeight: number;
  /** Size of the compressed file. */
  readonly bytes: number;
  /** `owner/name` on the hub, where that is known. */
  readonly repo?: string;
  /** Name of the decoder in Python, where there is one for the file. */
  readonly pythonDecoder?: string;
  readonly files: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly sha256: string;
  }[];
}

/** The card of a folder that `publish-model` makes. */
export function publishedCard(
  origin: CardOrigin,
  { bitsPerWeight, bytes, repo, pythonDecoder, files }: Publication,
): string {
  const url = `https://huggingface.co/${repo ?? "OWNER/NAME"}/resolve/main/${COMPRESSED_NAME}`;
  return [
    headOf(origin, "kanpress"),
    `# ${titleOf(origin)} at ${formatFixed(bitsPerWeight, 2)} bits per weight`,
    `${linkTo(origin)}, compressed with ${PROJECT} to ${formatBytes(bytes)}. ` +
    `\`${COMPRESSED_NAME}\` holds all of its weights. kanpress runs it from whole numbers of ` +
    "a byte or two a weight; other programs expand it first.",
    origin.measured ?? `${MEASURED_HEADING}\n\nHow well it does has not been measured.`,
    "## Use",
    "In a page, Node or Deno, layer by layer while it downloads:",
    code(
      "js",
      'import { openCompressed } from "kanpress/download"; // npm; "@kanpress/kanpress/download" of JSR\n\n' +
        `const model = await openCompressed("${url}");\n` +
        "const weights = new Map();\n" +
        "for await (const [name, { shape, data }] of model) weights.set(name, { shape, data });",
    ),
    ...(pythonDecoder === undefined ? [] : [
      `In Python, without any package, though slowly (\`${pythonDecoder}\` is written to be read):`,
      code(
        "python",
        "from decode_rate import decode\n\n" +
          `weights = decode(open("${COMPRESSED_NAME}", "rb").read())  # {name: (shape, values)}`,
      ),
    ]),
    "As a folder that transformers loads, or a GGUF file for llama.cpp:",
    code(
      "sh",
      "npx kanpress decompress . --out ../restored\n" +
        "npx kanpress decompress . --out ../model.gguf --gguf q8_0",
    ),
    "## Files",
    markdownTable(
      ["file", "bytes", "SHA-256", ""],
      files.map((file) => [plain(file.name), String(file.bytes), `\`${file.sha256}\``, ""]),
    ).replaceAll(/ \|[ -]*\|$/gm, " |"),
    ...licence(origin),
  ].join("\n\n") + "\n";
}

function describeMeasurement({ result, textName, task }: Measured): string {
  if (result !== undefined) {
    return `Measured on ${describeTokens(result)} of ${nameOfText(textName ?? "a text")}.`;
  }
  if (task !== undefined) return `Measured on ${describeQuestions(task)}.`;
  return "How well it does has not been measured.";
}

function headOf({ source, head, licences }: CardOrigin, library: string): string {
  const hubId = hubIdOf(source);
  const base = hubId === undefined ? {} : { base_model: hubId, base_model_relation: "quantized" };
  const kept = Object.fromEntries(
    KEPT_KEYS.flatMap((key) => head[key] === undefined ? [] : [[key, head[key]]]),
  );
  // The hub's word for a licence that only its text tells.
  const [file] = licences;
  const unnamed = "license" in kept || file === undefined
    ? {}
    : { license: "other", license_link: file };
  const values = { ...base, library_name: library, ...kept, ...unnamed, tags: ["kanpress"] };
  return formatFrontMatter(values).trimEnd();
}

/** `owner/name` where a recorded source is of the hub; a card names no revision and no file. */
export function hubIdOf(source: string | undefined): string | undefined {
  if (!source?.startsWith(HUB_PREFIX)) return undefined;
  const id = source.slice(HUB_PREFIX.length).split(/[@:]/)[0]!;
  return isHubId(id) ? id : undefined;
}

function titleOf({ source }: CardOrigin): string {
  return plain(hubIdOf(source)?.split("/")[1] ?? source ?? "A model");
}

function linkTo({ source }: CardOrigin): string {
  const hubId = hubIdOf(source);
  if (hubId !== undefined) return `[${plain(hubId)}](https://huggingface.co/${hubId})`;
  return source === undefined ? "A model" : `The model ${plain(source)}`;
}

function licence({ head, licences }: CardOrigin): string[] {
  const names = [head["license_name"], head["license"]].filter((name) => typeof name === "string");
  const files = licences.map((name) => `[${plain(name)}](${name})`);
  const told = [...names.slice(0, 1).map(plain), ...files];
  return [
    "## Licence",
    told.length > 0
      ? `That of the original: ${told.join(", ")}.`
      : "That of the original, whose folder did not name it.",
  ];
}

/** A file's name alone: a card does not tell where things are on the machine that wrote it. */
function nameOfText(text: string): string {
  return plain(fileNameOf(text));
}

/** Foreign text as Markdown that stands for itself, on one line. */
function plain(text: string): string {
  return printableLine(text, 100).replace(/[\\`*_{}[\]<>#|~&]/g, (letter) => `\\${letter}`);
}

function code(language: string, lines: string): string {
  return `\`\`\`${language}\n${lines}\n\`\`\``;
}

function markdownTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = heading.map((_, column) => column === 0 || column === 3 ? "---" : "---:");
  return [line(heading), line(rule), ...rows.map(line)].join("\n");
}
