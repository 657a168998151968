import { basename } from "node:path";
import { readAll } from "../../../data/byte_source.ts";
import { InputError, type ModelSource } from "../../../data/mod.ts";
import { readJsonObject } from "../../../data/json_file.ts";
import { writeFileAtomically } from "../../../data/write_file.ts";
import { type GgufWeightType, planGguf, type TokenizerFiles } from "../../../gguf/mod.ts";
import type { Run } from "../../../cli/terminal/run.ts";

/**
 * Writes a model as a GGUF file of floats, in which no value changes. llama.cpp does not need the
 * tokenizer to quantize: where it does not know that, the file has none.
 */
export async function writeFloatGguf(source: ModelSource, path: string, run: Run): Promise<void> {
  const { config, weights } = source;
  const type = floatType(source);
  const tokenizer = await readTokenizerFiles(source);
  let plan: ReturnType<typeof planGguf>;
  try {
    plan = planGguf({ config, weights, ...(tokenizer && { tokenizer }) }, type);
  } catch (error) {
    if (tokenizer === undefined || !(error instanceof InputError)) throw error;
    run.writeLine(`${source.name}: written without tokenizer (${error.message})`);
    plan = planGguf({ config, weights }, type);
  }
  await run.phase(
    "write GGUF",
    (progress) => writeFileAtomically(path, plan.chunks({ progress }), { signal: run.signal }),
  );
}

/** The narrowest type that holds all values as they are. */
function floatType({ weights: { tensors } }: ModelSource): GgufWeightType {
  const types = new Set(tensors.filter(({ shape }) => shape.length > 1).map(({ dtype }) => dtype));
  const [only] = types;
  if (types.size > 1) return "f32";
  return only === "F16" ? "f16" : only === "BF16" ? "bf16" : "f32";
}

/** The tokenizer files of a model as a GGUF file takes them; undefined without tokenizer.json. */
export async function readTokenizerFiles(
  { companions }: ModelSource,
): Promise<TokenizerFiles | undefined> {
  const find = (name: string) => companions.find((file) => basename(file.name) === name);
  const read = async (name: string) => {
    const file = find(name);
    return file === undefined ? undefined : await readJsonObject(file);
  };
  const tokenizer = await read("tokenizer.json");
  if (tokenizer === undefined) return undefined;
  const template = find("chat_template.jinja");
  return {
    tokenizer,
    settings: await read("tokenizer_config.json"),
    specialTokensMap: await read("special_tokens_map.json"),
    chatTemplate: template && new TextDecoder().decode(await readAll(template)),
  };
}
