import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fromBase64, toHex } from "../../data/base64.ts";
import { readAll } from "../../data/byte_source.ts";
import { InputError, type ModelSource, openFile } from "../../data/mod.ts";
import { sha256, sha256OfJson } from "../../data/sha256.ts";
import { readContainerHeader } from "../../hierarchy/file/container_header.ts";
import { modelLabel } from "../input/model_names.ts";
import type { CompressOptions } from "../options/compress_options.ts";
import type { CompressTarget } from "./compress_target.ts";

/** Characters of texts' names at most. */
const LONGEST_NAME = 40;
/** Digits by which texts of one name are told apart. */
const DIGITS = 6;

/** The options that change what is written. */
export type WrittenOptions = Partial<
  Pick<
    CompressOptions,
    | "uniform"
    | "dataFree"
    | "effort"
    | "states"
    | "levels"
    | "hiddenDims"
    | "calibration"
    | "calibrationTokens"
    | "calibrationLoss"
    | "losslessSmall"
    | "correctDrift"
    | "tune"
    | "seed"
    | "text"
    | "tokens"
    | "protocol"
    | "context"
    | "stride"
  >
>;

/** Where `compress` writes what no `--out` names a place for: `compressed/MODEL-SETTINGS`. */
export async function defaultOut(
  given: string | undefined,
  source: Pick<ModelSource, "name">,
  target: CompressTarget,
  options: WrittenOptions,
): Promise<string> {
  return `compressed/${modelLabel(given, source)}-${await settingsLabel(target, options)}`;
}

/**
 * Throws {@linkcode InputError} where the place that {@linkcode defaultOut} gives has what was made
 * of a model with other weights, which has the same name: it would be lost. `sha256` is the digest
 * of this model's weights.
 */
export async function refuseOtherModel(file: string, sha256: string): Promise<void> {
  // What cannot be read any more is no loss.
  const header = await openFile(file).then(readContainerHeader).catch(() => undefined);
  const other = header?.description.sourceSha256;
  if (other === undefined || other === sha256) return;
  const folder = dirname(file);
  throw new InputError(
    `${folder}: was made of a model with the same name and other weights; give another place, ` +
      `or --out ${folder} to replace it`,
  );
}

/**
 * Ending of an output folder's name, such as `rate-4bit` or `rate-4bit-data-free`: settings that
 * change the result change the name, so that one result does not take the place of another. Those
 * that change at most how it is rounded, such as the engine, do not.
 */
export async function settingsLabel(
  { preset, bits, bytes, maxKl }: CompressTarget,
  options: WrittenOptions,
): Promise<string> {
  const { levels, hiddenDims, effort, states, tune, seed } = options;
  const { calibration, calibrationTokens, calibrationLoss } = options;
  const rate = bytes !== undefined
    ? `${bytes}bytes`
    : maxKl !== undefined
    ? `kl${maxKl}`
    : bits !== undefined && `${bits}bit`;
  return [
    preset,
    rate,
    // What is measured decides the size.
    maxKl !== undefined && await measureLabel(options),
    hiddenDims !== undefined ? hiddenDims.join("x") : levels !== undefined && `${levels}levels`,
    options.uniform && "uniform",
    options.dataFree && "data-free",
    effort !== undefined && effort !== "normal" && effort,
    states !== undefined && `${states}states`,
    driftLabel(options),
    // An effort may tune unless it is told not to.
    tune !== undefined && (tune > 0 || effort === "best") && `${tune}steps`,
    calibration !== undefined && `on-${await textsLabel(calibration)}`,
    calibrationTokens !== undefined && `${calibrationTokens}tokens`,
    calibrationLoss !== undefined && `loss${Number((100 * calibrationLoss).toPrecision(6))}`,
    options.losslessSmall && "lossless-small",
    seed !== undefined && seed !== 0 && `seed${seed}`,
  ].filter((part) => typeof part === "string" && part !== "").join("-");
}

/** Whether drift is corrected, where an effort does otherwise. */
function driftLabel({ correctDrift, effort }: WrittenOptions): string | undefined {
  if (correctDrift === undefined || correctDrift === (effort !== "fast")) return undefined;
  return correctDrift ? "drift" : "no-drift";
}

/** What a divergence is measured on, where that is not the default. */
async function measureLabel(
  { text, tokens, protocol, context, stride }: WrittenOptions,
): Promise<string> {
  return [
    text !== undefined && `by-${await textsLabel(text.slice(0, 1))}`,
    tokens !== undefined && `by${tokens}tokens`,
    protocol,
    context !== undefined && `context${context}`,
    stride !== undefined && `stride${stride}`,
  ].filter((part) => typeof part === "string").join("-");
}

/** Texts by their names, and by a digest: others may have the same, and a text may be changed. */
async function textsLabel(paths: readonly string[]): Promise<string> {
  const names = paths.map((path) => basename(path).replace(/\.\w+$/, "")).join("-");
  const digests = await Promise.all(paths.map(async (path) =>
    // What is on the web is not read twice for its name.
    existsSync(path) ? await sha256(await readAll(await openFile(path))) : path
  ));
  const digest = toHex(fromBase64(await sha256OfJson(digests))).slice(0, DIGITS);
  return `${names.slice(0, LONGEST_NAME).replace(/[^\w.-]+/g, "-")}-${digest}`;
}
