import { InputError } from "../../data/input_error.ts";
import { existsSync } from "node:fs";
import process from "node:process";
import { isGranted } from "../../data/permissions.ts";
import type { Browser } from "playwright-core";

/** Where Debian, and others that follow it, install Chromium. */
const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Quiet and offline: no first-run pages, no updates, no profile but a new one. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The path of a Chromium on this machine; undefined if there is none. */
export function findChromium(): string | undefined {
  return PATHS.find((path) => existsSync(path));
}

/** Whether there is a Chromium that this process has the permissions to run. */
export function mayRunChromium(): boolean {
  if (!isGranted({ name: "read" }) || !isGranted({ name: "sys" })) return false;
  const command = findChromium();
  return command !== undefined && isGranted({ name: "run", command }) && mayAskEnvironment();
}

/** Whether any variable may be asked for without a prompt, if only to hear that it is not set. */
function mayAskEnvironment(): boolean {
  if (isGranted({ name: "env" })) return true;
  if (Deno.permissions.querySync({ name: "env" }).state === "prompt") return false;
  try {
    // With --ignore-env the answer is that there is no such variable.
    process.env.PLAYWRIGHT_BROWSERS_PATH;
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts Chromium without a window. The caller closes it. Throws {@linkcode InputError} where it is not installed
 * (Debian's package is `chromium`).
 */
export async function launchChromium(flags: readonly string[] = []): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) {
    throw new InputError("Chromium is not installed; install Debian's package chromium");
  }
  // Loaded here: the figures themselves need no browser.
  const { chromium } = await import("playwright-core");
  return await chromium.launch({ executablePath, args: [...FLAGS, ...flags] });
}
