import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { InputError } from "../data/mod.ts";
import { printableLine } from "../data/printable.ts";
import { writeFileAtomically } from "../data/write_file.ts";
import { createLanguageModel, generateText, useBackend } from "../eval/mod.ts";
import { endTokens } from "../eval/generation/end_tokens.ts";
import { reportPage } from "../eval/report/report_page.ts";
import { parseReportInput } from "../eval/report/results.ts";
import type { ResultRow } from "../eval/report/result_row.ts";
import { openContainer } from "../hierarchy/file/container.ts";
import { reportContainer } from "../hierarchy/report.ts";
import { commandLine } from "./terminal/command_line.ts";
import { requireCompressed } from "./input/compressed_argument.ts";
import {
  openSubject,
  readSubject,
  type Subject,
  type SubjectWeights,
} from "./evaluate/evaluation_subject.ts";
import { page } from "./output/kinds.ts";
import { openOutput } from "./output/output.ts";
import type { Run } from "./terminal/run.ts";

/** Options of `report`. */
export interface ReportOptions {
  /** The page to write; beside the results if omitted. */
  readonly out?: string;
  /** What the models continue. */
  readonly prompt: string;
}

/** How the samples are drawn. */
const SAMPLING = { maxTokens: 60, temperature: 0.8, topK: 40, topP: 0.95, seed: 1 };

/** `report`: makes one page of results, with what their files still tell. */
export async function report(
  file: string,
  options: ReportOptions,
  run: Run,
): Promise<void> {
  const text = await readFile(file, "utf8").catch((error) => {
    throw new InputError(`${file}: cannot be read; name a file of results`, { cause: error });
  });
  const { rows, written } = parseReportInput(text, file);
  const out = options.out ?? `${file.replace(/\.jsonl?$/, "")}.html`;
  using output = await openOutput(out, page);
  const detailed: ResultRow[] = [];
  for (const row of rows) detailed.push(await addDetails(row, options.prompt, run));
  const hasSamples = detailed.some(({ sample }) => sample !== undefined);
  const content = await reportPage({
    rows: detailed,
    written,
    ...(hasSamples ? { prompt: options.prompt } : {}),
    commands: [...new Set([...rows.flatMap((row) => commandsOf(row, run.program)), run.command])],
  });
  await output.publish((folder) =>
    writeFileAtomically(join(folder, basename(out)), [new TextEncoder().encode(content)])
  );
  run.print(`written to ${printableLine(out)}`);
}

/** What made a result; results of earlier versions say nothing, but can be measured again. */
function commandsOf({ commands, out }: ResultRow, program: string): readonly string[] {
  if (commands !== undefined) return commands;
  return out === undefined ? [] : [commandLine([program, "evaluate", out])];
}

/** Reads what the compressed file costs by tensor, and has both models write. */
async function addDetails(
  row: ResultRow,
  prompt: string,
  run: Run,
): Promise<ResultRow> {
  if (row.out === undefined || !existsSync(row.out)) return row;
  const { source } = await requireCompressed(row.out);
  const container = await openContainer(source);
  const { signal } = run;
  const { tensors } = await reportContainer(container, source.byteLength, { signal });
  const kinds = [...new Set(container.stages.flat().map(({ kind }) => kind))];
  const subject = await openSubject(row.out, undefined, run);
  const weights = await readSubject(subject, run);
  const samples = await run.phase("sample", () => writeSamples(subject, weights, prompt));
  return {
    ...row,
    model: container.source ?? row.model,
    method: row.method ?? kinds.join(" > "),
    tensors,
    ...(samples.compressed === undefined ? {} : { sample: samples.compressed }),
    ...(samples.original === undefined ? {} : { originalSample: samples.original }),
  };
}

async function writeSamples(
  { config, tokenizer, generationConfig }: Subject,
  weights: SubjectWeights,
  prompt: string,
): Promise<{ original?: string; compressed?: string }> {
  await useBackend("wasm");
  const eosTokenId = endTokens(config, tokenizer, await generationConfig());
  const samples: { original?: string; compressed?: string } = {};
  for (const [name, dict] of Object.entries(weights)) {
    const model = createLanguageModel(config, dict);
    samples[name as "original" | "compressed"] = await generateText(
      model,
      tokenizer,
      prompt,
      { ...SAMPLING, eosTokenId },
    );
    model.dispose();
  }
  return samples;
}
