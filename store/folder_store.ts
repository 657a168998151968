import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, fileError } from "../data/file_error.ts";
import { removeAbandonedFiles } from "../data/abandoned_files.ts";
import { fromBase64, fromHex } from "../data/base64.ts";
import { bytePieces, isFileArray, type KeptBytes } from "../data/file_array.ts";
import { InputError } from "../data/input_error.ts";
import { sha256 } from "../data/sha256.ts";
import { writeFileAtomically } from "../data/write_file.ts";
import { checkEntryName, type Store } from "./store.ts";

/** Bytes of the SHA-256 that each file begins with: that of the rest. */
const SEAL = 32;
/** The file that says whose folder it is. */
const MARK = "CACHEDIR.TAG";
const MARK_TEXT = "Signature: 8a477f597d28d172789f06886806bc55\n# Work folder of kanpress.\n";
/** What systems put into folders by themselves. */
const SYSTEM_NAMES = new Set([".DS_Store", "Thumbs.db", "desktop.ini", "lost+found"]);

/** How a {@linkcode openFolderStore} tells what it meets. */
export interface FolderStoreOptions {
  /** Called with the path of an entry that was damaged, when it has been removed. */
  readonly onDamaged?: (path: string) => void;
}

/**
 * A store in a folder, which is made if need be: a file an entry, sealed by the SHA-256 of its bytes.
 * An entry that does not fit its seal is removed when it is asked for, so that it is made again. Files
 * are written under other names and renamed, so a process that is killed leaves no half entry; several
 * processes may use one folder.
 *
 * Throws {@linkcode InputError} that names the folder if it cannot be used or holds anything that
 * kanpress did not write; `put` does where the disk is full, and what is there stays.
 *
 * ```ts
 * import { openFolderStore } from "./folder_store.ts";
 * import assert from "node:assert";
 *
 * const folder = Deno.makeTempDirSync();
 * const store = await openFolderStore(folder);
 * await store.put("answer", Uint8Array.of(42));
 * assert.deepEqual(await (await openFolderStore(folder)).get("answer"), Uint8Array.of(42));
 * ```
 */
export async function openFolderStore(
  folder: string,
  { onDamaged }: FolderStoreOptions = {},
): Promise<Store> {
  await prepareFolder(folder);
  const pathOf = (name: string) => {
    checkEntryName(name);
    return join(folder, name);
  };
  const remove = async (name: string) => {
    const path = pathOf(name);
    await rm(path, { force: true }).catch((error) => {
      throw fileError(path, error);
    });
  };
  return {
    async get(name) {
      const path = pathOf(name);
      let file: Uint8Array;
      try {
        const { buffer, byteOffset, byteLength } = await readFile(path);
        // Not Node's Buffer, whose slices are no copies.
        file = new Uint8Array(buffer, byteOffset, byteLength);
      } catch (error) {
        if (errorCode(error) === "ENOENT") return undefined;
        throw fileError(path, error);
      }
      const bytes = file.subarray(SEAL);
      if (file.length >= SEAL && await isSealed(file.subarray(0, SEAL), bytes)) return bytes;
      await remove(name);
      onDamaged?.(path);
      return undefined;
    },
    async has(name) {
      const path = pathOf(name);
      try {
        return (await stat(path)).isFile();
      } catch (error) {
        if (errorCode(error) === "ENOENT") return false;
        throw fileError(path, error);
      }
    },
    async put(name, bytes) {
      // What is shared may be overwritten while it is written; files are not written from there.
      const own = isFileArray(bytes) || bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice();
      const seal = isFileArray(own) ? fromHex(own.sha256) : fromBase64(await sha256(own));
      await writeFileAtomically(pathOf(name), sealed(seal, own), { synchronizes: false });
    },
    remove,
  };
}

/** A file's content; arrays that are in files themselves are copied a piece at a time. */
function* sealed(seal: Uint8Array, bytes: KeptBytes): Generator<Uint8Array, void> {
  yield seal;
  yield* bytePieces(bytes);
}

async function isSealed(seal: Uint8Array, bytes: Uint8Array): Promise<boolean> {
  const found = fromBase64(await sha256(bytes));
  return seal.every((byte, i) => byte === found[i]);
}

/** Makes the folder and its mark; backups leave folders with this mark out. */
async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const names = (await readdir(folder)).filter((name) => !SYSTEM_NAMES.has(name));
    const isOurs = names.includes(MARK) &&
      await readFile(join(folder, MARK), "utf8") === MARK_TEXT;
    if (!isOurs && names.length > 0) {
      throw new InputError(
        `${folder}: is not empty and no work folder of kanpress; name another folder`,
      );
    }
    if (!isOurs) {
      await writeFileAtomically(join(folder, MARK), [new TextEncoder().encode(MARK_TEXT)]);
    }
    // Says now, not after an hour, that nothing can be written.
    const probe = join(folder, `.probe.tmp-${randomUUID()}`);
    await writeFileAtomically(probe, []);
    await rm(probe, { force: true });
    await removeAbandonedFiles(folder);
  } catch (error) {
    throw fileError(folder, error);
  }
}
