import assert from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createProgram } from "../cli/program.ts";
import { recordedRun } from "../cli/testdata/recorded_run.ts";
import { withWorkFolder } from "../cli/testdata/work_folder.ts";

/** Fields that a model of this test does not bring about; others' tests see to them. */
const RARE = [
  "notes[]",
  "originalQuantization",
  "notCalibrated",
  "stride",
  "against.klDivergenceChange.value",
  "against.klDivergenceChange.standardError",
  "stages[].bitsSaved",
  "levels[].energyLeft",
  "gguf",
];

/** What each heading of docs/json.md lists, such as `klDivergence.mean` or `seconds.*`. */
function documentedFields(): Map<string, string[]> {
  const text = readFileSync(new URL("json.md", import.meta.url), "utf8");
  const sections = text.split(/^## /m).slice(1);
  return new Map(sections.map((section) => {
    const name = /^`([^`]+)`/.exec(section)?.[1] ?? "";
    const rows = section.matchAll(/^\| (`[^|]+`) +\|/gm);
    const fields = [...rows].flatMap(([, cell]) =>
      [...cell!.matchAll(/`([^`]+)`/g)].map(([, field]) => field!)
    );
    return [name, fields];
  }));
}

/** The paths of all values in a value: `tensors[].name`. */
function pathsOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item, `${path}[]`));
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, item]) =>
    pathsOf(item, path === "" ? key : `${path}.${key}`)
  );
}

/** Whether a documented path, in which `*` is any name and what follows, is one that was found. */
function covers(documented: string, found: string): boolean {
  const [start, rest] = documented.split(".*");
  return rest === undefined
    ? documented === found
    : found.startsWith(`${start}.`) && found.endsWith(rest);
}

async function resultOf(args: readonly string[]): Promise<unknown> {
  const run = recordedRun();
  const program = createProgram("deno task", (load) => async (...given) => {
    await (await load())(...[...given.slice(0, -1), run] as never[]);
  }, { out: () => {}, error: () => {} });
  await program.parseAsync([...args, "--json"], { from: "user" });
  return JSON.parse(run.printed.join("\n"));
}

Deno.test("every field of --json is documented, and nothing else", () =>
  withWorkFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    const measured = ["--text", at("text.txt"), "--threads", "1"];
    const compress = ["compress", at("model"), "--no-cache", "--bits", "6", "--threads", "1"];
    const task = ["--task", "lambada_openai", "--data", at("task.jsonl")];
    const question = `{"text": "The ferry was late, ${"and so on ".repeat(2)}home"}\n`;
    await Deno.writeTextFile(at("task.jsonl"), question.repeat(3));
    await Deno.writeTextFile(
      at("model/chat_template.jinja"),
      "{% for message in messages %}{{ message.content }}{% endfor %}",
    );
    const out = ["--out", at("out")];
    const base = await resultOf(["evaluate", at("model"), ...measured]);
    await Deno.writeTextFile(at("base.json"), JSON.stringify(base));
    const original = ["--original", at("model")];
    const results = new Map<string, unknown[]>();
    const keep = async (name: string, ...args: string[]) =>
      results.set(name, [...results.get(name) ?? [], await resultOf(args)]);
    await Deno.writeTextFile(at("long.txt"), "Nobody came to meet the ferry. ".repeat(200));
    const calibrated = ["--calibration", at("long.txt"), "--calibration-loss", "20%"];
    await Deno.writeTextFile(at("more.txt"), "Nobody came to meet the ferry. ".repeat(9));
    const all = ["--text", at("more.txt"), "--by-part"];
    await keep("compress", ...compress, ...out, ...calibrated, "--text", at("text.txt"), ...all);
    const elsewhere = ["--out", at("other"), "--data-free"];
    await keep("compress", ...compress, ...elsewhere, "--no-evaluate");
    await keep("compress", ...compress, ...elsewhere, ...task);
    const evaluate = ["evaluate", at("out"), ...original];
    results.set("evaluate", [base]);
    await keep("evaluate", ...evaluate, ...measured, ...all, "--against", at("base.json"));
    await keep("evaluate --prompt", ...evaluate, "--prompt", "The ferry");
    await keep("evaluate --chat", ...evaluate, "--chat", "The ferry");
    await keep("evaluate --task", ...evaluate, ...task);
    const sweep = ["sweep", at("model"), "--data-free", "--presets", "rate,nf4", "--bits", "4"];
    await keep("sweep", ...sweep, ...measured, "--out", at("sweep"));
    await keep("inspect", "inspect", at("out"));
    await keep("decompress", "decompress", at("out"), "--out", at("restored"), "--onnx");
    const dry = ["--dry-run", "--repo", "me/tiny"];
    await keep("publish-model", "publish-model", at("out"), ...dry);
    const documented = documentedFields();
    assert.deepEqual([...documented.keys()], [...results.keys()]);
    for (const [name, values] of results) {
      const fields = documented.get(name)!;
      const found = [...new Set(values.flatMap((value) => pathsOf(value)))];
      const undocumented = found.filter((path) => !fields.some((field) => covers(field, path)));
      assert.deepEqual(undocumented, [], `docs/json.md lacks fields of ${name}`);
      const missing = fields.filter((field) =>
        !RARE.includes(field) && !found.some((path) => covers(field, path))
      );
      assert.deepEqual(missing, [], `docs/json.md has fields that ${name} lacks`);
    }
  }));
