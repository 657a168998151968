import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openFile } from "../data/file_source.ts";
import { embeddedModelPath } from "../data/embedded_model.ts";
import type { DemoModel } from "./site.ts";

/** Bits per weight at which the embedded model lies here, ready to be shown. */
export const READY_BITS = [4, 2.5] as const;

/** Where the embedded model lies, compressed to `bits` per weight with the defaults. */
export function readyModelFolder(bits: (typeof READY_BITS)[number]): string {
  return fileURLToPath(new URL(`./models/prose-4m-${bits}bit`, import.meta.url));
}

/**
 * The embedded model at {@linkcode READY_BITS}, as `compress` writes it: a page has something to show
 * at once. What belongs to it besides is the original's.
 */
export async function readyModels(): Promise<DemoModel[]> {
  return await Promise.all(READY_BITS.map(async (bits) => {
    const folder = readyModelFolder(bits);
    const original = (name: string) => openFile(join(embeddedModelPath(), name));
    return {
      name: `prose-4m at ${bits} bits`,
      source: await openFile(join(folder, "model.kan.safetensors")),
      companions: new Map([
        ["tokenizer.json", await original("tokenizer.json")],
        ["tokenizer_config.json", await original("tokenizer_config.json")],
        ["README.md", await openFile(join(folder, "README.md"))],
      ]),
    };
  }));
}
