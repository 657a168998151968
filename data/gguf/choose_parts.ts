import { InputError } from "../input_error.ts";

const partName = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

/** Whether a name is that of a GGUF file that may be a model, or a part of one. */
export function isGgufName(name: string): boolean {
  return /\.gguf$/i.test(name);
}

/** Projectors of pictures and matrices of importance belong to models, but are none. */
function mayBeModel(name: string): boolean {
  return isGgufName(name) && !/^mmproj|imatrix/i.test(name);
}

/**
 * Chooses the GGUF model of a folder called `folder` that has files of these names: all parts of the
 * one that `named` is or is a part of, or of the only one that there is; undefined where there is
 * none. Throws an {@linkcode InputError} where there are several, or parts are missing.
 *
 * ```ts
 * import { chooseGgufParts } from "./choose_parts.ts";
 * import assert from "node:assert";
 *
 * const names = ["b-00001-of-00002.gguf", "b-00002-of-00002.gguf", "README.md"];
 * assert.deepEqual(chooseGgufParts("models", names), names.slice(0, 2));
 * assert.equal(chooseGgufParts("models", ["README.md"]), undefined);
 * ```
 */
export function chooseGgufParts(
  folder: string,
  names: readonly string[],
  named?: string,
): readonly string[] | undefined {
  if (named !== undefined) return partsOf(folder, names, named);
  const models = new Map<string, string>();
  for (const name of names.filter(mayBeModel).toSorted()) {
    const [, stem, , count] = partName.exec(name) ?? [];
    const key = stem === undefined ? name : `${stem}-of-${count}`;
    if (!models.has(key)) models.set(key, name);
  }
  const found = [...models.values()];
  const [first] = found;
  if (first === undefined) return undefined;
  if (found.length === 1) return partsOf(folder, names, first);
  throw new InputError(
    `${folder}: has ${found.length} GGUF models; name one of them: ${
      found.slice(0, 12).join(", ")
    }` +
      (found.length > 12 ? ", …" : ""),
  );
}

function partsOf(folder: string, names: readonly string[], name: string): readonly string[] {
  const [, stem, , count = "1"] = partName.exec(name) ?? [];
  if (stem === undefined) return [name];
  const present = new Set(names);
  const number = (part: number) => String(part).padStart(5, "0");
  const parts: string[] = [];
  for (let part = 1; part <= Number(count); part++) {
    const partName = `${stem}-${number(part)}-of-${count}${name.slice(-".gguf".length)}`;
    if (!present.has(partName)) {
      throw new InputError(
        `${folder}: has not all ${
          Number(count)
        } parts of ${stem}: ${partName} is missing; add it ` +
          "from where you got the others",
      );
    }
    parts.push(partName);
  }
  if (parts.length > 0) return parts;
  throw new InputError(`${folder}: ${name} is a part of none; get it again`);
}
