import { InputError } from "../../data/input_error.ts";

/** The package that computes, and the version that is tested. */
export const NATIVE_PACKAGE = "onnxruntime-node@1.30.0";

/** A tensor of the runtime. */
export interface NativeTensor {
  readonly data: Float32Array | BigInt64Array | Uint16Array;
  readonly dims: readonly number[];
}

/** A graph that is ready to run. */
export interface NativeSession {
  /** Names of everything that it gives. */
  readonly outputNames: readonly string[];
  /** Runs it; outputs are those that `fetches` names, or that it gives as tensors to be filled. */
  run(
    feeds: Readonly<Record<string, NativeTensor>>,
    fetches: readonly string[] | Readonly<Record<string, NativeTensor | null>>,
  ): Promise<Readonly<Record<string, NativeTensor>>>;
  release(): Promise<void>;
}

/** What is used of the package. */
export interface NativeRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<NativeSession>;
  };
  readonly Tensor: new (
    type: "float32" | "int64" | "float16",
    data: NativeTensor["data"],
    dims: readonly number[],
  ) => NativeTensor;
}

/** How to install the package, for messages. */
const advice = "run `deno task native:install` in kanpress' folder, or " +
  `\`npm install ${NATIVE_PACKAGE}\` in this one`;

/** Where this is set before it begins, the runtime does not tell Microsoft what it is used for. */
const NO_TELEMETRY = "ORT_DISABLE_TELEMETRY";

let known: NativeRuntime | string | undefined;

/** The runtime; throws {@linkcode InputError} with the reason and what to do if there is none. */
export function requireNativeRuntime(): NativeRuntime {
  known ??= load();
  if (typeof known !== "string") return known;
  throw new InputError(`the backend native is not available: ${known}, or choose the backend wasm`);
}

/** What is used of Node's modules, which browsers do not have: they must not be imported. */
interface Builtins {
  readonly env: Record<string, string | undefined>;
  cwd(): string;
  getBuiltinModule(name: "fs"): { existsSync(path: string): boolean };
  getBuiltinModule(name: "path"): { join(...parts: readonly string[]): string };
  getBuiltinModule(
    name: "module",
  ): { createRequire(path: string): (name: string) => NativeRuntime };
}

/** Where the package is. */
interface InstalledPackage {
  /** The folder in whose `node_modules` it is. */
  readonly folder: string;
  readonly builtins: Builtins;
}

/**
 * Whether the runtime is installed and may be loaded: in kanpress' own folder or, as Node finds
 * packages, in the working folder or one above it. Does not load it.
 */
export function isNativeInstalled(): boolean {
  return typeof findPackage() !== "string";
}

/** Where the package is, or why it is not to be had. */
export function findPackage(): InstalledPackage | string {
  const { process: builtins } = globalThis as { process?: Builtins };
  if (builtins?.getBuiltinModule === undefined) return "it is not for browsers";
  const { existsSync } = builtins.getBuiltinModule("fs");
  const { join } = builtins.getBuiltinModule("path");
  const upward = (folder: string): string[] => {
    const above = join(folder, "..");
    return above === folder ? [folder] : [folder, ...upward(above)];
  };
  const { dirname } = import.meta;
  const own = dirname === undefined ? [] : [join(dirname, "..", "..", "native")];
  for (const folder of [...own, ...upward(builtins.cwd())]) {
    const modules = join(folder, "node_modules");
    if (!isGranted({ name: "read", path: modules })) {
      return `looking for it in ${folder} needs --allow-read`;
    }
    if (!existsSync(join(modules, "onnxruntime-node"))) continue;
    if (!isGranted({ name: "ffi", path: modules })) return `loading ${modules} needs --allow-ffi`;
    if (!isGranted({ name: "env", variable: NO_TELEMETRY })) {
      return `keeping it from sending telemetry needs --allow-env=${NO_TELEMETRY}`;
    }
    return { folder, builtins };
  }
  return `onnxruntime-node is not installed; ${advice}`;
}

/** Whether something may be done: without this look, Deno would ask. */
function isGranted(what: Deno.PermissionDescriptor): boolean {
  if (typeof Deno === "undefined") return true;
  return Deno.permissions.querySync(what).state === "granted";
}

function load(): NativeRuntime | string {
  const found = findPackage();
  if (typeof found === "string") return found;
  const { createRequire } = found.builtins.getBuiltinModule("module");
  try {
    found.builtins.env[NO_TELEMETRY] = "1";
    return createRequire(`${found.folder}/kanpress.js`)("onnxruntime-node");
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    return `the package in ${found.folder}/node_modules cannot be loaded (${reason})`;
  }
}
