import { InputError } from "../../data/input_error.ts";
import { isJsonObject } from "../../data/json_file.ts";
import { parseJson } from "../../data/parse_json.ts";
import { COMPANION_NAMES } from "../served_model.ts";
import { chooseCompanions, chooseDocuments } from "../../data/model_files.ts";

/** A file as browsers and the rest of the platform have it; of `File`, what is needed. */
export type NamedFile = Pick<File, "name" | "size" | "text">;

/** What the user's files are. */
export interface ChosenFiles<F extends NamedFile> {
  /** The compressed model. */
  readonly weights: F;
  /** The files of `COMPANION_NAMES` that are there, by those names. */
  readonly companions: ReadonlyMap<string, F>;
}

/** What a browser adds to the name of a file that it has downloaded before. */
const COPY = / ?\(\d+\)(?=\.\w+$)/;

/**
 * Finds the compressed model and what belongs to it among files that the user chose or dropped, such
 * as a whole folder; a tokenizer may have another name. Throws an {@linkcode InputError} that names
 * the file which is not a model's, or what is missing.
 */
export async function sortChosenFiles<F extends NamedFile>(
  files: readonly F[],
): Promise<ChosenFiles<F>> {
  let weights: F | undefined;
  const companions = new Map<string, F>();
  for (const file of files) {
    const name = file.name.replace(COPY, "");
    if (name.endsWith(".safetensors")) {
      if (weights !== undefined) {
        throw new InputError(`${weights.name} and ${file.name}: choose one model at a time`);
      }
      weights = file;
    } else if ((COMPANION_NAMES as readonly string[]).includes(name)) {
      companions.set(name, file);
    } else if (!isOfModel(name)) {
      // Models' tokenizers are often kept under a name of their own.
      if (!name.endsWith(".json") || !await holdsTokenizer(file)) throw foreign(file.name);
      companions.set("tokenizer.json", file);
    }
  }
  if (weights === undefined) {
    const [first] = files;
    throw new InputError(
      first === undefined
        ? "there are no files here; choose a .kan.safetensors file and its tokenizer.json"
        : `${first.name}: is not a model; choose a .kan.safetensors file with it`,
    );
  }
  return { weights, companions };
}

/** Whether a file lies in models' folders without being of use here. */
function isOfModel(name: string): boolean {
  return name.startsWith(".") || name === "SHA256SUMS" || name === "decode_rate.py" ||
    chooseCompanions([name]).length + chooseDocuments([name]).length > 0;
}

async function holdsTokenizer(file: NamedFile): Promise<boolean> {
  try {
    const value = parseJson(await file.text());
    return isJsonObject(value) && isJsonObject(value["model"]) && "vocab" in value["model"];
  } catch {
    return false;
  }
}

function foreign(name: string): InputError {
  return new InputError(
    `${name}: is not a file of a compressed model; choose a .kan.safetensors file, its ` +
      "tokenizer.json and what stands beside them",
  );
}
