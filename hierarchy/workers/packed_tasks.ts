import { fromBase64, toHex } from "../../data/base64.ts";
import { InputError } from "../../data/input_error.ts";
import { collectGarbage } from "../../data/collect_garbage.ts";
import { sha256 } from "../../data/sha256.ts";
import {
  type PackedArray,
  type PackedValue,
  packValue,
  unpackValue,
} from "../../store/packed_value.ts";
import type { Store } from "../../store/store.ts";
import {
  CODING_VERSION,
  codingTasks,
  type CountedMatrix,
  type QuantizeTask,
  type TaskArguments,
  type TaskKind,
  type TaskResults,
} from "./coding_tasks.ts";

/** A task as it is kept: named by all that decides its result. */
export interface PackedTask extends PackedValue {
  /** SHA-256, in hexadecimal, of kind, task and the version of the tasks. */
  readonly key: string;
}

/** Arrays that no one overwrites as long as they are there: their hashes are kept. */
const LASTING = /\.(stored|patterns|feedback)$/;

/** Bytes of arrays after which memory is collected: those that are read from files are garbage then. */
const HASHED_BYTES = 2 ** 27;

/** Packs tasks; hashes of large arrays that many of them have are computed once. */
export class TaskPacker {
  readonly #lasting = new WeakMap<PackedArray, Promise<string>>();
  #passing = new WeakMap<PackedArray, Promise<string>>();
  #hashed = 0;

  /** Packs a task of a kind, without the array that its indices are to be written to. */
  async pack<Kind extends TaskKind>(kind: Kind, task: TaskArguments[Kind]): Promise<PackedTask> {
    const content = { ...task, ...(kind === "quantize" && { indices: undefined }) };
    const value = { kind, version: CODING_VERSION, task: content };
    const packed = await packValue(value, (bytes, array, path) => {
      const known = LASTING.test(path) ? this.#lasting : this.#passing;
      const kept = known.get(array);
      if (kept !== undefined) return kept;
      const hash = hexHash(bytes);
      known.set(array, hash);
      this.#hashed += bytes.length;
      return hash;
    });
    if (this.#hashed >= HASHED_BYTES) {
      collectGarbage();
      this.#hashed = 0;
    }
    return { ...packed, key: await hexHash(packed.bytes) };
  }

  /** To be called before arrays of tasks are overwritten: forgets their hashes. */
  forget(): void {
    this.#passing = new WeakMap();
  }
}

/** Keeps a task under `task-KEY`, for another process to run. */
export async function putTask(store: Store, { key, ...packed }: PackedTask): Promise<void> {
  await putPacked(store, taskName(key), packed);
}

/** The entry of a task of this key. */
export function taskName(key: string): string {
  return `task-${key}`;
}

/**
 * The task that {@linkcode putTask} kept, or undefined. Throws {@linkcode InputError} if what is kept
 * is none of this version.
 */
export async function getTask(
  store: Store,
  key: string,
): Promise<
  | { [Kind in TaskKind]: { readonly kind: Kind; readonly task: TaskArguments[Kind] } }[TaskKind]
  | undefined
> {
  const bytes = await store.get(taskName(key));
  if (bytes === undefined) return undefined;
  if (await hexHash(bytes) !== key) throw new InputError(`task ${key}: is another than it says`);
  // Its name is the hash of all that it is, so that whoever asked for it made it.
  const value = await unpackValue(bytes, (blob) => store.get(blob));
  if (value === undefined) return undefined;
  const { kind, version, task } = (value ?? {}) as Record<string, unknown>;
  if (version !== CODING_VERSION) {
    throw new InputError(
      `task ${key}: is of another version of kanpress; use the same on all machines`,
    );
  }
  if (typeof kind !== "string" || !Object.hasOwn(codingTasks, kind)) {
    throw new InputError(`task ${key}: is of no kind that there is`);
  }
  return { kind, task } as { kind: "quantize"; task: QuantizeTask };
}

/** Keeps the result of a task under `KIND-KEY`; gives the names of its large arrays. */
export async function putResult<Kind extends TaskKind>(
  store: Store,
  kind: Kind,
  key: string,
  result: TaskResults[Kind],
): Promise<string[]> {
  const packed = await packValue({ result }, hexHash);
  await putPacked(store, `${kind}-${key}`, packed);
  return [...packed.blobs.keys()];
}

/**
 * The result that {@linkcode putResult} kept; undefined where it is not there whole. `onBlob` is told
 * the names of its large arrays.
 */
export async function getResult<Kind extends TaskKind>(
  store: Store,
  kind: Kind,
  key: string,
  onBlob?: (name: string) => void,
): Promise<TaskResults[Kind] | undefined> {
  const bytes = await store.get(`${kind}-${key}`);
  if (bytes === undefined) return undefined;
  const value = await unpackValue(bytes, (blob) => {
    onBlob?.(blob);
    return store.get(blob);
  });
  if (value === undefined) return undefined;
  const { result } = (value ?? {}) as { readonly result?: unknown };
  const sound = kind === "encode" ? result instanceof Uint8Array : isCounted(result);
  if (!sound) throw new InputError(`${kind}-${key}: is no result of such a task; remove the store`);
  return result as TaskResults[Kind];
}

/** Keeps a value under a name, with its large arrays. */
export async function putPacked(store: Store, name: string, packed: PackedValue): Promise<void> {
  for (const [blob, bytes] of packed.blobs) {
    if (!await store.has(blob)) await store.put(blob, bytes);
  }
  await store.put(name, packed.bytes);
}

function isCounted(result: unknown): result is CountedMatrix {
  if (typeof result !== "object" || result === null) return false;
  const { rows, columns, indices, scales, counts } = result as Partial<CountedMatrix>;
  const isLong = (array: unknown, length: unknown) =>
    array instanceof Int32Array && array.length === length;
  return (indices instanceof Int8Array || indices instanceof Int16Array ||
    indices instanceof Int32Array) &&
    indices.length === rows! * columns! &&
    isLong(scales?.rows, rows) && isLong(scales?.columns, columns) &&
    counts instanceof Float64Array;
}

/** SHA-256 in hexadecimal, as names of entries have it. */
export async function hexHash(bytes: Uint8Array): Promise<string> {
  return toHex(fromBase64(await sha256(bytes)));
}
