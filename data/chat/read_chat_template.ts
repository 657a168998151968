import { fileNameOf } from "../file_name.ts";
import { type ByteSource, readAll } from "../byte_source.ts";
import { InputError } from "../input_error.ts";
import { isJsonObject, readJsonObject } from "../json_file.ts";
import { isByteLevel } from "../tokenizer.ts";
import { joinSettings, specialTokenTexts } from "../tokenizer/special_tokens.ts";
import { type ChatTemplate, createChatTemplate } from "./chat_template.ts";

/** A file that can be a template alone, and then goes before the others. */
const templateFile = "chat_template.jinja";
/** Files with a template among other things, in the order in which they are looked at. */
const settingsFiles = ["tokenizer_config.json", "chat_template.json"];

/**
 * Reads the chat template of a model from the files that belong to it: `chat_template.jinja`, else
 * the entry `chat_template` of `tokenizer_config.json` or `chat_template.json`; of several, the one
 * named `default`. Undefined if there is none: the model was not trained to chat. Throws
 * {@linkcode InputError} that names the file where it is damaged.
 *
 * ```ts
 * import { memorySource } from "@kanpress/kanpress/data";
 * import { readChatTemplate } from "./read_chat_template.ts";
 * import assert from "node:assert";
 *
 * const settings = { bos_token: "<s>", chat_template: "{{ bos_token }}{{ messages[0].content }}" };
 * const bytes = new TextEncoder().encode(JSON.stringify(settings));
 * const template = await readChatTemplate([memorySource(bytes, "tokenizer_config.json")], {});
 * assert.equal(template!.render([{ role: "user", content: "Hello" }], true), "<s>Hello");
 * assert.equal(await readChatTemplate([], {}), undefined);
 * ```
 */
export async function readChatTemplate(
  companions: readonly ByteSource[],
  config: Readonly<Record<string, unknown>>,
): Promise<ChatTemplate | undefined> {
  const find = (name: string) => companions.find((file) => fileNameOf(file.name) === name);
  const read = async (name: string) => {
    const file = find(name);
    return file === undefined ? undefined : await readJsonObject(file);
  };
  const settings = await read("tokenizer_config.json");
  const found = await findSource(find, read);
  if (found === undefined) return undefined;
  const joined = joinSettings(settings, await read("special_tokens_map.json"), config);
  const tokenizer = await read("tokenizer.json");
  const byteLevel = tokenizer !== undefined && isByteLevel(tokenizer);
  return createChatTemplate(found.source, specialTokenTexts(joined, byteLevel), found.file);
}

interface TemplateSource {
  readonly source: string;
  readonly file: string;
}

async function findSource(
  find: (name: string) => ByteSource | undefined,
  read: (name: string) => Promise<Record<string, unknown> | undefined>,
): Promise<TemplateSource | undefined> {
  const alone = find(templateFile);
  if (alone !== undefined) return { source: await readText(alone), file: alone.name };
  for (const name of settingsFiles) {
    const value = (await read(name))?.["chat_template"] ?? undefined;
    if (value === undefined) continue;
    const file = find(name)!.name;
    return { source: chooseTemplate(value, file), file };
  }
  return undefined;
}

async function readText(file: ByteSource): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readAll(file));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${file.name}: is not UTF-8 text; get it again`, { cause: error });
  }
}

/** A template, or the default one of a list of them by name. */
function chooseTemplate(value: unknown, file: string): string {
  if (typeof value === "string") return value;
  const named = Array.isArray(value) ? value.filter(isJsonObject) : [];
  const chosen = named.find(({ name }) => name === "default") ?? named[0];
  const source = chosen?.["template"];
  if (typeof source === "string") return source;
  throw new InputError(`${file}: its chat_template is neither a text nor a list of such`);
}
