import { fileURLToPath } from "node:url";
import type { ByteSource } from "../data/byte_source.ts";
import { fromBase64, toHex } from "../data/base64.ts";
import { openFile } from "../data/file_source.ts";
import { InputError } from "../data/input_error.ts";
import { memorySource } from "../data/memory_source.ts";
import { sha256, sha256OfJson } from "../data/sha256.ts";
import { readContainerHeader } from "../hierarchy/file/container_header.ts";
import {
  COMPANION_NAMES,
  type ServedModel,
  type ServedModels,
  WEIGHTS_NAME,
} from "./served_model.ts";

/** A compressed model with what belongs to it, to be offered to the page. */
export interface DemoModel {
  /** What the page calls it. */
  readonly name: string;
  /** The `.kan.safetensors` file. */
  readonly source: ByteSource;
  /** Files beside it by their names, of `COMPANION_NAMES`; `tokenizer.json` must be there. */
  readonly companions: ReadonlyMap<string, ByteSource>;
}

/** What a site holds. */
export interface SiteOptions {
  /** Models that can be chosen. */
  readonly models: readonly DemoModel[];
  /** Numbers of those that the page begins with, at most two; the first two if omitted. */
  readonly first?: readonly number[];
  /** Folder URL of the bundled scripts; `demo/dist` if omitted. */
  readonly scripts?: URL;
}

/** Every file of a site by its path without a leading slash; each is opened when it is asked for. */
export type Site = ReadonlyMap<string, () => Promise<ByteSource>>;

/** Where the scripts are bundled. */
const CHECKOUT = fileURLToPath(new URL("..", import.meta.url));

type Entry = [path: string, open: () => Promise<ByteSource>];

/**
 * The files of the demo: the page, its scripts, tfjs's WASM files and compressed models. All paths are
 * relative, so the site can stand in any folder of any host. Throws {@linkcode InputError} where the
 * scripts have not been bundled, or a model cannot be read or has no tokenizer.
 */
export async function demoSite(
  { models, first = [0, 1], scripts = new URL("./dist/", import.meta.url) }: SiteOptions,
): Promise<Site> {
  const served: ServedModel[] = [];
  const files: Entry[] = [];
  for (const [index, model] of models.entries()) {
    const described = await describe(model, `models/${index}`);
    served.push(described);
    files.push([`${described.folder}/${WEIGHTS_NAME}`, () => Promise.resolve(model.source)]);
    for (const name of described.files) {
      const file = model.companions.get(name)!;
      files.push([`${described.folder}/${name}`, () => Promise.resolve(file)]);
    }
  }
  const list: ServedModels = {
    models: served,
    first: first.filter((index) => index < served.length),
  };
  const listed = memorySource(new TextEncoder().encode(JSON.stringify(list)), "models.json");
  return new Map<string, () => Promise<ByteSource>>([
    ...pageFiles(),
    ...await scriptFiles(scripts),
    ...wasmFiles(),
    ["models.json", () => Promise.resolve(listed)],
    ...files,
  ]);
}

async function describe(
  { name, source, companions }: DemoModel,
  folder: string,
): Promise<ServedModel> {
  if (!companions.has(COMPANION_NAMES[0])) {
    throw new InputError(
      `${source.name}: has no tokenizer.json beside it; name a folder that compress wrote`,
    );
  }
  const { config } = (await readContainerHeader(source)).description;
  if (config === undefined) {
    throw new InputError(
      `${source.name}: holds no config.json and cannot run; compress the model's folder again`,
    );
  }
  return {
    name,
    bytes: source.byteLength,
    folder,
    files: COMPANION_NAMES.filter((name) => companions.has(name)),
    headerSha256: await headerDigest(source),
    configSha256: await sha256OfJson(config),
  };
}

/** Of the header alone: it holds the digests of all that follows. */
async function headerDigest(source: ByteSource): Promise<string> {
  const start = await source.read(0, 8);
  const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
  return toHex(fromBase64(await sha256(await source.read(8, 8 + length))));
}

function fileEntry(path: string, url: URL): Entry {
  return [path, async () => await openFile(fileURLToPath(url))];
}

function pageFiles(): Entry[] {
  return ["index.html", "style.css", "plain.html"].map((name) =>
    fileEntry(name, new URL(`./page/${name}`, import.meta.url))
  );
}

/** The bundled scripts. */
const SCRIPTS = [
  "app.js",
  "model_worker.js",
  "tfjs_engine.js",
  "decompress.js",
  "download.js",
  "decode_worker.js",
  "team_worker.js",
];

async function scriptFiles(folder: URL): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const name of SCRIPTS) {
    const url = new URL(name, folder);
    try {
      await openFile(fileURLToPath(url));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(
        `the page's scripts are not bundled; run \`deno task demo:bundle\` in ${CHECKOUT}`,
        { cause: error },
      );
    }
    entries.push(fileEntry(name, url));
  }
  return entries;
}

function wasmFiles(): Entry[] {
  const names = ["tfjs-backend-wasm", "tfjs-backend-wasm-simd"];
  return names.map((name) => {
    const url = import.meta.resolve(`@tensorflow/tfjs-backend-wasm/dist/${name}.wasm`);
    return fileEntry(`wasm/${name}.wasm`, new URL(url));
  });
}
