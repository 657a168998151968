import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { InputError } from "./input_error.ts";

/** Which hub models come from and where they are kept. */
export interface HubSettings {
  /** Address of the hub without a slash at its end. */
  readonly endpoint: string;
  /** Access token, which no message may show. */
  readonly token?: string;
  /** Folder of the cache, shared with the Python library huggingface_hub. */
  readonly cacheDir: string;
  /** Whether only the cache may be used. */
  readonly offline: boolean;
}

/**
 * The settings of the environment, by the names that huggingface_hub uses
 * (https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables):
 * `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME`, `HF_HUB_OFFLINE`.
 */
export function hubSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): HubSettings {
  const token = environment["HF_TOKEN"]?.trim();
  // A header with a line break in it would fail with an error that shows the token.
  if (token !== undefined && !/^[\x21-\x7e]*$/.test(token)) {
    throw new InputError("HF_TOKEN: has characters that no token has; set it again");
  }
  return {
    endpoint: endpointOf(environment["HF_ENDPOINT"]),
    ...(token ? { token } : {}),
    cacheDir: cacheDirOf(environment),
    offline: /^(1|true|yes|on)$/i.test(environment["HF_HUB_OFFLINE"] ?? ""),
  };
}

function endpointOf(value: string | undefined): string {
  if (!value) return "https://huggingface.co";
  const url = URL.parse(value);
  if (url !== null && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, "");
  throw new InputError(
    `HF_ENDPOINT: ${value} is not an http or https address; correct or unset it`,
  );
}

function cacheDirOf(environment: Readonly<Record<string, string | undefined>>): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = environment;
  const given = HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE;
  if (given) return given;
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface");
  return join(home, "hub");
}
