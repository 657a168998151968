/**
 * What did a long run measure, which few people would do again? Prints tables of the results that
 * bench/real_models.ts or bench/quality.ts kept: those of docs/results.md are in bench/recorded.
 *
 *     deno run --allow-read bench/recorded_results.ts bench/recorded/smollm2-135m-instruct.jsonl
 *     deno run --allow-read bench/recorded_results.ts bench/recorded/prose-4m.jsonl --view shares
 *
 * `--view` is `all`; `shares` of llama.cpp's bytes at equal divergence; `beside`, a line for each method with
 * the texts of `--texts` (`Emma=novel` has another name) but without the methods of `--without`; or `rates`,
 * what a rate costs by the first of these texts.
 */
import { endFor, readCommandLine } from "./support/command_line.ts";
import { besideTable, ratesTable } from "./support/real_models/short_tables.ts";
import { readResults } from "./support/real_models/results_file.ts";
import { sharesTable } from "./support/real_models/shares.ts";
import { tablesText } from "./support/real_models/tables.ts";

const { values, words: [path] } = readCommandLine({
  view: { type: "string", default: "all" },
  texts: { type: "string", default: "WikiText-2" },
  without: { type: "string", default: "" },
}, { words: ["RESULTS"] });
if (path === undefined) endFor("name a file of results, such as those in bench/recorded");
const lines = await readResults(path);
const texts = values.texts.split(",").map((given) => {
  const [text = "", title = text] = given.split("=");
  return { text, title };
});
const views: Readonly<Record<string, () => string>> = {
  all: () => tablesText(lines),
  shares: () => sharesTable(lines, {}),
  beside: () => besideTable(lines, texts, values.without.split(",")),
  rates: () => ratesTable(lines, texts[0]!.text),
};
const view = views[values.view];
if (view === undefined) {
  endFor(`--view ${values.view}: is none of ${Object.keys(views).join(", ")}`);
}
console.log(view());
