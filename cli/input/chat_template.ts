import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ChatTemplate } from "../../data/chat/chat_template.ts";
import { readChatTemplate } from "../../data/chat/read_chat_template.ts";
import { InputError, type ModelSource, openFile } from "../../data/mod.ts";
import { chooseCompanions } from "../../data/model_files.ts";
import type { ModelConfig } from "../../eval/mod.ts";

/** Where a model's files may be. */
export interface ModelPlaces {
  /** What messages call it. */
  readonly name: string;
  /** Folder of a compressed file, looked at first. */
  readonly folder?: string | undefined;
  /** The model, or the original of a compressed one. */
  readonly model?: Pick<ModelSource, "companions"> | undefined;
}

/**
 * The chat template of a model, or of a compressed one's original. Throws {@linkcode InputError} if
 * there is none, with `advice` on what to do.
 */
export async function requireChatTemplate(
  { name, folder, model }: ModelPlaces,
  config: ModelConfig,
  advice = "continue a text with --prompt",
): Promise<ChatTemplate> {
  const names = folder === undefined ? [] : chooseCompanions(await readdir(folder));
  const files = await Promise.all(names.map((file) => openFile(join(folder!, file))));
  const template = await readChatTemplate(files, config) ??
    await readChatTemplate(model?.companions ?? [], config);
  if (template !== undefined) return template;
  throw new InputError(
    `${name}: has no chat template, so it was not trained to chat; ${advice}`,
  );
}
