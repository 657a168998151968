import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { type ByteSource, InputError, openFile } from "../data/mod.ts";
import { shownUrl } from "../data/shown_url.ts";
import { buildSite } from "../demo/build.ts";
import { readyModels } from "../demo/ready_models.ts";
import { serveDemo } from "../demo/serve.ts";
import { COMPANION_NAMES } from "../demo/served_model.ts";
import { type DemoModel, demoSite, type Site } from "../demo/site.ts";
import { formatBytes } from "../eval/report/number_text.ts";
import { readContainerHeader } from "../hierarchy/file/container_header.ts";
import {
  type CompressedArgument,
  findCompressed,
  requireCompressed,
} from "./input/compressed_argument.ts";
import { siteFolder } from "./output/kinds.ts";
import { openOutput } from "./output/output.ts";
import { writeSiteList } from "./output/site_list.ts";
import type { Run } from "./terminal/run.ts";

/** Options of `demo`. */
export interface DemoOptions {
  /** Port of the page on the loopback interface; 0 takes a free one. */
  readonly port: number;
  /** Folder to write the page into, instead of serving it. */
  readonly build?: string;
}

/** Where `compress` puts what no `--out` names a place for. */
const COMPRESSED = "compressed";
/** Models of that folder that are offered at most, the newest. */
const MOST_FOUND = 12;

/** `demo`: serves, or writes, a page in which compressed models are decoded and write. */
export async function demo(
  names: readonly string[],
  { port, build }: DemoOptions,
  run: Run,
): Promise<void> {
  const named: DemoModel[] = [];
  for (const name of names) named.push(await openDemoModel(await requireCompressed(name)));
  // A site that is written holds what was asked for, and no more.
  const found = names.length > 0 || build !== undefined ? [] : await findMade(run);
  const models = [...named, ...found, ...await readyModels()];
  // Another model than the first is no comparison, unless the user makes it.
  const first = named.length > 0 ? named.map((_, index) => index).slice(0, 2) : [0, 1];
  const site = await demoSite({ models, first });
  if (build !== undefined) return await write(site, build, run);
  const { url, finished } = await serveDemo(site, { port, signal: run.signal });
  run.expectInterrupt();
  run.signal.addEventListener("abort", () => {
    // After the ^C that the terminal shows.
    if (run.isTerminal) run.writeLine("");
    run.writeLine("the server has ended");
  });
  run.print(`open ${url} in a browser; Ctrl-C ends the server`);
  await finished;
}

async function write(site: Site, folder: string, run: Run): Promise<void> {
  using output = await openOutput(folder, siteFolder);
  if (output.replaces) run.writeLine(`replacing the page in ${folder}`);
  let bytes = 0;
  await run.phase("write", (progress) =>
    output.publish(async (hidden) => {
      bytes = await buildSite(site, hidden, { onProgress: progress, signal: run.signal });
      await writeSiteList(hidden);
    }));
  run.print(
    `${
      formatBytes(bytes)
    } written to ${folder}; put it on any host of static files, or try it here:\n` +
      `npx --yes http-server ${folder}`,
  );
}

async function openDemoModel(
  { source, folder }: CompressedArgument,
  name = folder === undefined ? shownUrl(source.name) : basename(folder),
): Promise<DemoModel> {
  const companions = new Map<string, ByteSource>();
  for (const name of folder === undefined ? [] : COMPANION_NAMES) {
    const path = join(folder!, name);
    if (existsSync(path)) companions.set(name, await openFile(path));
  }
  return { name, source, companions };
}

/** What `compress` has written here, the newest first; what cannot be shown is passed over. */
async function findMade(run: Run): Promise<DemoModel[]> {
  if (!existsSync(COMPRESSED)) return [];
  const folders = readdirSync(COMPRESSED).map((name) => join(COMPRESSED, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory())
    .map((path) => ({ path, time: statSync(path).mtimeMs }))
    .sort((a, b) => b.time - a.time);
  const models: DemoModel[] = [];
  for (const { path } of folders) {
    if (models.length >= MOST_FOUND) break;
    try {
      const found = await findCompressed(path);
      if (found === undefined) continue;
      await readContainerHeader(found.source);
      const model = await openDemoModel(found);
      if (model.companions.has(COMPANION_NAMES[0])) models.push(model);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      run.writeLine(`not offered: ${error.message}`);
    }
  }
  if (models.length > 0) {
    run.writeLine(`beginning with ${join(COMPRESSED, models[0]!.name)}, which compress wrote last`);
  }
  return models;
}
