import assert from "node:assert";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { readAll } from "../../data/byte_source.ts";
import { decompressWeights } from "../../hierarchy/mod.ts";
import { readyModels } from "../ready_models.ts";
import type { StateDict } from "../../data/tensor.ts";
import type { DemoModel } from "../site.ts";

/** A model of the demo, and what it must decode to. */
export interface Expected {
  /** As it is served. */
  readonly model: DemoModel;
  /** The compressed file. */
  readonly bytes: Uint8Array;
  /** What Deno decodes it to. */
  readonly weights: StateDict;
}

/** Bundles the scripts of the page. */
export async function bundle(): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "demo:bundle"],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** The embedded model at the rates that lie ready. */
export async function readyExpected(): Promise<Expected[]> {
  return await Promise.all((await readyModels()).map(async (model) => {
    const bytes = await readAll(model.source);
    return { model, bytes, weights: await decompressWeights(bytes) };
  }));
}

/** The value of one of a panel's facts. */
export async function fact(page: Page, panel: number, name: string): Promise<string | null> {
  const list = page.locator(".panel").nth(panel).locator(".facts");
  await page.locator(".panel").nth(panel).locator(".about").waitFor({ state: "visible" });
  return await list.locator(`dt:text-is("${name}") + dd`).textContent();
}

/** What a panel has written. */
export async function story(page: Page, panel: number): Promise<string | null> {
  return await page.locator(".panel").nth(panel).locator(".story .text").textContent();
}
