import { existsSync } from "node:fs";
import { rename, unlink } from "node:fs/promises";
import { InputError } from "../../../data/mod.ts";
import type { LlamaLibrary } from "./llama_library.ts";

/** The numbers of llama.cpp's file types (`enum llama_ftype`), by the names that people use. */
export const LLAMA_TYPES: ReadonlyMap<string, number> = new Map([
  ["Q4_0", 2],
  ["Q4_1", 3],
  ["Q8_0", 7],
  ["Q5_0", 8],
  ["Q5_1", 9],
  ["Q2_K", 10],
  ["Q3_K_S", 11],
  ["Q3_K_M", 12],
  ["Q3_K_L", 13],
  ["Q4_K_S", 14],
  ["Q4_K_M", 15],
  ["Q5_K_S", 16],
  ["Q5_K_M", 17],
  ["Q6_K", 18],
  ["IQ2_XXS", 19],
  ["IQ2_XS", 20],
  ["Q2_K_S", 21],
  ["IQ3_XS", 22],
  ["IQ3_XXS", 23],
  ["IQ4_NL", 25],
  ["IQ3_S", 26],
  ["IQ3_M", 27],
  ["IQ2_S", 28],
  ["IQ2_M", 29],
  ["IQ4_XS", 30],
]);

/** Bytes of the struct and of what is set in it: see `llama_model_quantize_params`. */
const LAYOUT = { size: 64, threads: 0, type: 4, requantizes: 16, importance: 24 };
/** Bytes of a `llama_model_imatrix_data`: name, values, their number. */
const ENTRY_SIZE = 24;

/** Mean squares of each tensor's inputs, by llama.cpp's names. */
export type ImportanceMatrix = ReadonlyMap<string, Float32Array<ArrayBuffer>>;

/** What llama.cpp writes a file as. */
interface Target {
  /** Its number among llama.cpp's file types. */
  readonly type: number;
  /** Which inputs matter; some types need it. */
  readonly importance?: ImportanceMatrix;
  /** Threads of llama.cpp. */
  readonly threads: number;
  /** Called with the share of the tensors that are done. */
  readonly onProgress?: (share: number) => void;
}

/** How {@linkcode quantizeWithLlama} works. */
export interface QuantizeOptions extends Omit<Target, "type"> {
  /** One of {@linkcode LLAMA_TYPES}. */
  readonly type: string;
}

/** The number of the file type whose tensors are all float32. */
const FLOATS = 0;

/**
 * Has llama.cpp quantize a GGUF file of floats, as its program `llama-quantize` does. The file
 * appears when it is whole. Throws {@linkcode InputError} with what llama.cpp said if it fails, or if
 * the library is of a version with other parameters.
 */
export async function quantizeWithLlama(
  library: LlamaLibrary,
  from: string,
  to: string,
  { type, ...rest }: QuantizeOptions,
): Promise<void> {
  await convert(library, from, to, { type: LLAMA_TYPES.get(type)!, ...rest });
}

/** Has llama.cpp expand a quantized GGUF file to float32, whatever its tensors' types. */
export async function expandWithLlama(
  library: LlamaLibrary,
  from: string,
  to: string,
  threads: number,
): Promise<void> {
  await convert(library, from, to, { type: FLOATS, threads });
}

async function convert(
  library: LlamaLibrary,
  from: string,
  to: string,
  { type, importance, threads, onProgress }: Target,
): Promise<void> {
  const parameters = defaultParameters(library);
  const view = new DataView(parameters.buffer, parameters.byteOffset, parameters.byteLength);
  view.setInt32(LAYOUT.threads, threads, true);
  view.setInt32(LAYOUT.type, type, true);
  view.setUint8(LAYOUT.requantizes, type === FLOATS ? 1 : 0);
  const matrix = importanceEntries(importance ?? new Map());
  if (importance !== undefined) {
    view.setBigUint64(LAYOUT.importance, addressOf(matrix.entries), true);
  }
  const messages: string[] = [];
  const log = Deno.UnsafeCallback.threadSafe(
    { parameters: ["i32", "pointer", "pointer"], result: "void" } as const,
    (_level, text) => {
      if (text === null) return;
      const message = Deno.UnsafePointerView.getCString(text);
      messages.push(message);
      const [, done, all] = /^\[ *(\d+)\/ *(\d+)\]/.exec(message) ?? [];
      if (done !== undefined) onProgress?.(Number(done) / Number(all));
    },
  );
  const partial = `${to}.tmp-llama`;
  try {
    library.symbols.llama_log_set(log.pointer, null);
    const status = await library.symbols.llama_model_quantize(
      cString(from),
      cString(partial),
      parameters,
    );
    if (status !== 0) {
      const why = messages.filter((message) => /fail|error/i.test(message)).join(" ").trim();
      throw new InputError(`${from}: llama.cpp cannot quantize it: ${why}`);
    }
    await rename(partial, to);
  } finally {
    log.close();
    if (existsSync(partial)) await unlink(partial);
    // What the parameters point to must live until here.
    matrix.kept.length = 0;
  }
}

function defaultParameters(library: LlamaLibrary): Uint8Array<ArrayBuffer> {
  const found = library.symbols.llama_model_quantize_default_params();
  const view = new DataView(found.buffer, found.byteOffset, found.byteLength);
  const [threads, type, output, embedding] = [0, 4, 8, 12].map((at) => view.getInt32(at, true));
  const flags = [...found.subarray(16, 22)].join();
  const pointers = [24, 32, 40, 48].map((at) => view.getBigUint64(at, true));
  const isKnown = found.length === LAYOUT.size && threads === 0 &&
    type === LLAMA_TYPES.get("Q8_0") && output === embedding && flags === "0,1,0,0,0,0" &&
    pointers.every((pointer) => pointer === 0n);
  if (isKnown) return found;
  throw new InputError(
    "llama.cpp: this version's quantization has other parameters; leave --llama-cpp out",
  );
}

/** An array of `llama_model_imatrix_data` that ends with an empty one, and what it points to. */
function importanceEntries(importance: ImportanceMatrix) {
  const entries = new Uint8Array(ENTRY_SIZE * (importance.size + 1));
  const view = new DataView(entries.buffer);
  const kept: Uint8Array[] = [];
  let at = 0;
  for (const [name, values] of importance) {
    const text = cString(name);
    kept.push(text, new Uint8Array(values.buffer));
    view.setBigUint64(at, addressOf(text), true);
    view.setBigUint64(at + 8, addressOf(values), true);
    view.setBigUint64(at + 16, BigInt(values.length), true);
    at += ENTRY_SIZE;
  }
  return { entries, kept };
}

function addressOf(bytes: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
