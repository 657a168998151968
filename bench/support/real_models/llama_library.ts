import { readdirSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../../data/mod.ts";
import { fileError } from "../../../data/file_error.ts";

/** The release of npm's node-llama-cpp whose prebuilt libraries are used. */
const RELEASE = "3.21.1";

/** The struct `llama_model_quantize_params` of llama.cpp's `include/llama.h`. */
const PARAMETERS = {
  // deno-fmt-ignore
  struct: [
    "i32", "i32", "i32", "i32",
    "u8", "u8", "u8", "u8", "u8", "u8",
    "pointer", "pointer", "pointer", "pointer",
    "usize",
  ],
} as const;

const SYMBOLS = {
  llama_model_quantize_default_params: { parameters: [], result: PARAMETERS },
  llama_model_quantize: {
    parameters: ["buffer", "buffer", "buffer"],
    result: "u32",
    nonblocking: true,
  },
  llama_log_set: { parameters: ["function", "pointer"], result: "void" },
} as const;

/** Functions of llama.cpp, called in this process. */
export type LlamaLibrary = Deno.DynamicLibrary<typeof SYMBOLS>;

/**
 * Opens llama.cpp's library in a folder, or that of npm's node-llama-cpp, which is downloaded on
 * first use. Throws {@linkcode InputError} where there is none for this system.
 */
export async function openLlamaLibrary(folder?: string): Promise<LlamaLibrary> {
  const path = libraryIn(folder ?? await packagedFolder());
  try {
    return Deno.dlopen(path, SYMBOLS);
  } catch (error) {
    throw new InputError(
      `${path}: is not a llama.cpp library that this system can load: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function libraryIn(folder: string): string {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw fileError(folder, error);
  }
  const name = names.find((one) => /^(lib)?llama(\.v[\d.]+)?\.(so|dylib|dll)$/.test(one));
  if (name !== undefined) return join(folder, name);
  throw new InputError(`${folder}: has no libllama; name the folder of llama.cpp's libraries`);
}

async function packagedFolder(): Promise<string> {
  const { os, arch } = Deno.build;
  const system = os === "darwin" ? "mac" : os === "windows" ? "win" : os;
  const processor = arch === "x86_64" ? "x64" : "arm64";
  const name = `${system}-${processor}${system === "mac" && processor === "arm64" ? "-metal" : ""}`;
  try {
    // By name: the package of another system need not be there.
    const { getBinsDir } = await import(`npm:@node-llama-cpp/${name}@${RELEASE}`);
    return join(getBinsDir().binsDir, name);
  } catch (error) {
    throw new InputError(
      `npm's @node-llama-cpp/${name} cannot be had (${(error as Error).message}); name a folder ` +
        "of llama.cpp's libraries with --llama-cpp, or no types with --types none",
      { cause: error },
    );
  }
}
