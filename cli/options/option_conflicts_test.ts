import assert from "node:assert";
import { UsageError } from "../terminal/errors.ts";
import { createProgram } from "../program.ts";

/** Runs a command line on commands that do nothing; gives the message of a refusal. */
async function refusal(line: string): Promise<string | undefined> {
  const silent = { out: () => {}, error: () => {} };
  try {
    await createProgram("deno task", () => () => Promise.resolve(), silent).parseAsync(
      line.split(" "),
      {
        from: "user",
      },
    );
    return undefined;
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error.message;
  }
}

Deno.test("options that another leaves without effect are refused with the reason", async () => {
  const lines: Readonly<Record<string, RegExp>> = {
    "evaluate --prompt It --against base.json": /^--against has no effect here: --prompt shows/,
    "evaluate --limit 3": /^--limit has no effect here: it is about the questions of a task/,
    "evaluate --log-samples s.jsonl": /name one with --task$/,
    "evaluate --task piqa --text a.txt": /leave --task or --text out$/,
    "evaluate --task piqa --plot a.svg": /^--plot has no effect/,
    "evaluate --low-memory --threads 2": /^--threads has no effect here: --low-memory/,
    "evaluate --low-memory --prompt It": /leave --prompt or --low-memory out$/,
    "evaluate --temperature 0": /^--temperature has no effect here: it is about continuations/,
    "evaluate --prompt It --chat Hi": /leave --prompt or --chat out$/,
    "evaluate --chat Hi --text a.txt": /^--text has no effect here: --chat shows answers/,
    "evaluate --system Hi": /^--system has no effect here: it begins a chat/,
    "evaluate --prompt It --threads 2": /^--threads has no effect here: --prompt/,
    "evaluate --prompt It --temperature 0 --top-k 3": /leave --temperature or --top-k out$/,
    "compress --states 8 --effort best": /an effort only chooses the states/,
    "sweep --states 8 --effort fast": /leave --states or --effort out$/,
    "sweep --presets rtn,gguf --states 8": /leave --presets or --states out$/,
    "compress --no-evaluate --max-kl 1": /leave --no-evaluate or --max-kl out$/,
    "compress --no-evaluate --task piqa": /--no-evaluate measures nothing/,
    "compress --task piqa --tokens 9": /--task measures by questions/,
    "compress --data-free --calibration a.txt": /--data-free does without calibration/,
    "compress --data-free --uniform": /about the same rate/,
    "compress --data a.jsonl": /^--data has no effect/,
    "sweep --data-free --calibration-tokens 9": /leave --data-free or --calibration-tokens out$/,
  };
  for (const [line, message] of Object.entries(lines)) {
    assert.match(await refusal(line) ?? "not refused", message, line);
  }
});

Deno.test("defaults count for nothing, and what has an effect together is let through", async () => {
  for (
    const line of [
      "evaluate --prompt It --temperature 1 --seed 3 --top-k 0",
      "evaluate --prompt It --temperature 0 --max-tokens 5 --backend cpu",
      "compress --preset hybrid --states 8 --calibration a.txt",
      "compress --preset seed --levels 2 --seed 1 --lossless-small",
      "evaluate --chat Hi --system It --temperature 0 --max-tokens 9",
      "evaluate --task piqa --data a.jsonl --limit 3 --log-samples s.jsonl",
      "evaluate --low-memory --text a.txt --against b.json --context 64",
      "compress --no-evaluate --data-free --seed 3",
      "compress --data-free --no-cache --text a.txt",
      "compress --task piqa --limit 5",
      "sweep --bits 2 --data-free",
      "sweep --presets rtn,rate --states 8",
      "inspect a",
    ]
  ) assert.equal(await refusal(line), undefined, line);
});
