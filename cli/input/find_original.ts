import { fileNameOf } from "../../data/file_name.ts";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { InputError, type ModelSource, openModel, weightsDigest } from "../../data/mod.ts";
import { openHubModel } from "../../data/hub_model.ts";
import { parseHubName } from "../../data/open_model.ts";
import { quote } from "../../data/quote.ts";
import { isIgnorableTensor } from "../../eval/architectures/registry.ts";
import type { Container } from "../../hierarchy/file/container.ts";
import { recallOriginal } from "./known_originals.ts";
import { HUB_PREFIX } from "./model_names.ts";
import { openNamedModel } from "./original_model.ts";
import type { Run } from "../terminal/run.ts";

/** The model that a compressed file was made from. */
export interface Original {
  /** The model, its weights not read yet. */
  readonly model: ModelSource;
  /**
   * Whether its weights are known to be those that were compressed. Files of early versions do not
   * say which those were.
   */
  readonly checked: boolean;
}

/** A compressed file whose original is wanted. */
export interface CompressedFile {
  /** Its name, for messages. */
  readonly name: string;
  /** What it holds. */
  readonly container: Pick<Container, "tensors" | "aliases" | "source" | "sourceSha256">;
  /** The local folder that it is in, where it is in one. */
  readonly folder?: string;
}

/**
 * Finds the model that a compressed file was made from: `given` (`--original`) where there is one,
 * else the embedded model, where a model of that digest was seen last, a folder of the recorded name
 * in the working folder, beside the file, or beside its folder, or the model of the hub that the file
 * names, as far as the hub's cache has it: nothing is fetched on a file's word. Only a model whose
 * weights have the digest that the file records is taken; a file without one is believed, if names
 * and shapes fit.
 *
 * Gives undefined if none is found, and says which came near. Throws {@linkcode InputError} if
 * `given` is another model.
 */
export async function findOriginal(
  file: CompressedFile,
  given: string | undefined,
  run: Run,
): Promise<Original | undefined> {
  if (given !== undefined) {
    const model = await openNamedModel(given, run);
    const difference = await differenceOf(file, model, run);
    if (difference === undefined) return describe(file, model);
    const { source } = file.container;
    throw new InputError(
      `${model.name}: ${difference}; name the model that ${file.name} was made from ` +
        `${source === undefined ? "" : `(${source}) `}with --original`,
    );
  }
  for (const open of await placesOf(file, run)) {
    const model = await open();
    if (model === undefined) continue;
    const found = await ifUsable(compareWith(file, model, run));
    // Nobody named this one: it may go while it is read.
    if (found === undefined) continue;
    if (found.difference === undefined) return describe(file, model);
    run.writeLine(`${model.name}: ${found.difference}; it is not compared with`);
  }
  return undefined;
}

function describe({ container }: CompressedFile, model: ModelSource): Original {
  return { model, checked: container.sourceSha256 !== undefined };
}

/** A place where an original may be, which opens it; undefined if there is none. */
type Place = () => Promise<ModelSource | undefined>;

/** Where an original may be, likeliest first. */
async function placesOf(
  { container: { source, sourceSha256 }, folder }: CompressedFile,
  run: Run,
): Promise<Place[]> {
  if (source?.startsWith(HUB_PREFIX)) {
    const name = source.slice(HUB_PREFIX.length);
    return [() => openCached(name, run)];
  }
  const known = sourceSha256 === undefined
    ? undefined
    : await recallOriginal(sourceSha256, run.environment);
  const paths = new Map<string, string>();
  const add = (path: string) => {
    if (!paths.has(resolve(path))) paths.set(resolve(path), path);
  };
  if (known !== undefined) add(known);
  // A file says what its original is called; where that may be is not for it to choose.
  const name = fileNameOf(source ?? "");
  const folders = folder === undefined ? ["."] : [".", folder, dirname(resolve(folder))];
  for (const parent of /[^.]/.test(name) ? folders : []) {
    add(join(parent, name));
    add(join(parent, `${name}.gguf`));
  }
  const places: Place[] = Array.from(
    paths.values(),
    (path): Place => () => openFolder(path, run),
  );
  if (source !== (await openModel()).name) return places;
  return [() => openNamedModel(undefined, run), ...places];
}

/** Opens the model in a folder; undefined if there is none that can be opened. */
async function openFolder(
  path: string,
  run: Run,
): Promise<ModelSource | undefined> {
  if (!existsSync(path)) return undefined;
  return await ifUsable(openNamedModel(path, run));
}

/**
 * Opens a model of the hub that a file names, where the hub's cache has it. Nothing is fetched, and
 * no token sent, on a file's word: its author could have others fetch gigabytes, or tell the hub
 * who they are.
 */
async function openCached(
  name: string,
  run: Run,
): Promise<ModelSource | undefined> {
  const hub = parseHubName(name);
  if (hub === undefined) return undefined;
  const options = { ...hub.choice, offline: true, signal: run.signal };
  const found = await ifUsable(run.phase("open", () => openHubModel(hub.id, options)));
  if (found === undefined) {
    run.writeLine(
      `the file says that it was made from ${name}; add --original ${name} to fetch it`,
    );
  }
  return found;
}

async function ifUsable<Found>(found: Promise<Found>): Promise<Found | undefined> {
  try {
    return await found;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return undefined;
  }
}

async function compareWith(file: CompressedFile, model: ModelSource, run: Run) {
  return { difference: await differenceOf(file, model, run) };
}

/** How a model differs from what was compressed; undefined if it does not. */
async function differenceOf(
  { container: { tensors, aliases, sourceSha256 } }: CompressedFile,
  { config, weights }: ModelSource,
  run: Run,
): Promise<string | undefined> {
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape.join()]));
  for (const [name, other] of aliases) shapes.set(name, shapes.get(other) ?? "");
  const own = new Map(weights.tensors.map((tensor) => [tensor.name, tensor]));
  for (const name of new Set([...own.keys(), ...shapes.keys()])) {
    const [here, there] = [own.get(name)?.shape.join(), shapes.get(name)];
    if (here === there || (there === undefined && isIgnorableTensor(config, name))) continue;
    if (here === undefined) return `lacks the tensor ${quote(name)} of the compressed model`;
    const what = there === undefined ? "not" : "of another shape";
    return `its tensor ${quote(name)} is ${what} in the compressed model`;
  }
  if (sourceSha256 === undefined) return undefined;
  const compared = [...shapes.keys()].map((name) => own.get(name)!);
  const digest = await run.phase("check the original", (progress) => {
    let done = 0;
    return weightsDigest({
      tensors: compared,
      async read(name) {
        progress(done++ / compared.length);
        return await weights.read(name);
      },
    });
  });
  return digest === sourceSha256 ? undefined : "has other weights than those that were compressed";
}
