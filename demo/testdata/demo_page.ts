import assert from "node:assert";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import type { ModelSource } from "../../data/mod.ts";
import { memorySource } from "../../data/memory_source.ts";
import { readStateDict } from "../../eval/mod.ts";
import { decompressWeights, HierarchicalCompressor } from "../../hierarchy/mod.ts";
import type { StateDict } from "../../data/tensor.ts";
import type { DemoModel } from "../serve.ts";

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

/** A model, compressed without calibration. */
export async function compressed(source: ModelSource, bits: number): Promise<Expected> {
  const compressor = new HierarchicalCompressor({ bits });
  const { bytes } = await compressor.compress(await readStateDict(source), {
    config: source.config,
  });
  const file = (name: string) => source.companions.find((other) => other.name.endsWith(name))!;
  const model = {
    name: `${bits} bits`,
    source: memorySource(bytes, `${bits}.kan.safetensors`),
    tokenizer: file("/tokenizer.json"),
    tokenizerConfig: file("tokenizer_config.json"),
  };
  return { model, bytes, weights: await decompressWeights(bytes) };
}

/** The value of one of a panel's facts. */
export async function fact(page: Page, panel: number, name: string): Promise<string | null> {
  const list = page.locator(".panel").nth(panel).locator(".facts");
  await list.waitFor({ state: "visible" });
  return await list.locator(`dt:text-is("${name}") + dd`).textContent();
}

/** What a panel has written. */
export async function story(page: Page, panel: number): Promise<string | null> {
  return await page.locator(".panel").nth(panel).locator(".story .text").textContent();
}
