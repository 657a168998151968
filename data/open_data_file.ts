import process from "node:process";
import type { ByteSource } from "./byte_source.ts";
import { openFile } from "./file_source.ts";
import type { RequestOptions } from "./http.ts";
import { hubHeaders } from "./hub_api.ts";
import { type HubSettings, hubSettings } from "./hub_settings.ts";
import { InputError } from "./input_error.ts";
import { openUrl } from "./url_source.ts";

const HUB_PATTERN = /^hf:\/\/datasets\/([\w.-]+\/[\w.-]+)(?:@([\w.%-]+))?\/(.+)$/;

/**
 * Opens a file by its path, its http or https address, or as a file of a data set of the Hugging
 * Face hub: `hf://datasets/OWNER/NAME/PATH`, with `@REVISION` after the name where it is not `main`
 * (a slash in a revision is written `%2F`). Read by ranges, not kept. `HF_ENDPOINT`, `HF_TOKEN` and
 * `HF_HUB_OFFLINE` of `environment` are respected. Throws {@linkcode InputError} if it cannot be had.
 *
 * ```ts
 * import { openDataFile } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * await assert.rejects(openDataFile("missing.jsonl"), /missing.jsonl: does not exist/);
 * ```
 */
export async function openDataFile(
  place: string,
  options: RequestOptions = {},
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<ByteSource> {
  if (/^https?:\/\//.test(place)) return await openUrl(place, options);
  if (!place.startsWith("hf://")) return await openFile(place);
  const settings = hubSettings(environment);
  if (settings.offline) {
    throw new InputError(`${place}: HF_HUB_OFFLINE is set; unset it or name a local file`);
  }
  const headers = { ...options.headers, ...hubHeaders(settings) };
  return await openUrl(dataFileUrl(place, settings), { ...options, headers });
}

/** Where the hub has a file that is written `hf://datasets/…`. */
export function dataFileUrl(place: string, { endpoint }: Pick<HubSettings, "endpoint">): string {
  const [, id, revision = "main", path] = HUB_PATTERN.exec(place) ?? [];
  if (id === undefined || path === undefined) {
    throw new InputError(`${place}: write it as hf://datasets/OWNER/NAME/PATH, or name a file`);
  }
  return `${endpoint}/datasets/${id}/resolve/${revision}/${path}`;
}
