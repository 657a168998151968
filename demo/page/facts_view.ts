/// <reference lib="dom" />
import {
  formatBytes,
  formatBytesBriefly,
  formatCount,
  formatFixed,
  formatSeconds,
} from "../../eval/report/number_text.ts";
import type { MeasuredRow } from "../../eval/report/measured_table.ts";
import type { ModelFacts } from "./messages.ts";

/** Makes an element with a class and children. */
function make(tag: string, className: string, ...children: (Node | string)[]): HTMLElement {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.append(...children);
  return element;
}

/** The few figures that stand above a story, each with its name. */
export function keyFigures(facts: ModelFacts): HTMLElement[] {
  const { fileBytes, parameters, memoryBytes, measured } = facts;
  const row = measured?.find(({ name }) => name === "mean KL divergence");
  const figures: [name: string, value: string, className: string][] = [
    ["download", formatBytesBriefly(fileBytes), ""],
    ["bits a weight", formatFixed(8 * fileBytes / parameters, 2), ""],
    ...(row === undefined
      ? []
      : [["KL divergence", row.compressed.split(" ")[0]!, ""] as [string, string, string]]),
    ["tokens a second", "–", "speed"],
    ["memory", formatBytesBriefly(memoryBytes), ""],
  ];
  return figures.map(([name, value, className]) =>
    make("div", "", make("dt", "", name), make("dd", className, value))
  );
}

/** The sizes of the model in all formats as bars, largest first. */
export function sizeBars({ fileBytes, originalBytes, otherSizes }: ModelFacts): HTMLElement[] {
  const rows = [
    { format: "original", bytes: originalBytes, className: "" },
    ...otherSizes.map((size) => ({ ...size, className: "" })),
    { format: "this file", bytes: fileBytes, className: "this" },
  ].sort((a, b) => b.bytes - a.bytes);
  const largest = rows[0]!.bytes;
  return rows.map(({ format, bytes, className }) => {
    const bar = make("span", "length");
    bar.style.width = `${Math.max(1, 100 * bytes / largest)}%`;
    const amount = make("span", "amount", formatBytes(bytes));
    return make("li", className, make("span", "", format), bar, amount);
  });
}

/** What compression cost, without the sizes, which stand elsewhere. */
export function costRows(measured: readonly MeasuredRow[] = []): HTMLElement[] {
  return measured.filter(({ name }) => name !== "size" && name !== "bits per weight").map(
    ({ name, original, compressed, remark }) => {
      const heading = make("th", "", name);
      heading.setAttribute("scope", "row");
      if (remark !== "") heading.append(make("small", "", remark));
      return make("tr", "", heading, make("td", "", original), make("td", "", compressed));
    },
  );
}

/** All facts: terms and their descriptions. */
export function factRows(facts: ModelFacts): HTMLElement[] {
  const { load, decode, start } = facts.seconds;
  const rows: [string, string][] = [
    ["file", facts.name],
    ["size", formatBytes(facts.fileBytes)],
    ["original", formatBytes(facts.originalBytes)],
    ["parameters", formatCount(facts.parameters)],
    ["bits per weight", formatFixed(8 * facts.fileBytes / facts.parameters, 2)],
    ["loaded in", formatSeconds(load)],
    ["decoded in", `${formatSeconds(decode)} after the last byte`],
    ["started in", `${formatSeconds(start)} on ${facts.engine}`],
    ["memory for weights", formatBytes(facts.memoryBytes)],
    ["SHA-256", facts.hash],
  ];
  return rows.flatMap(([term, value]) => [make("dt", "", term), make("dd", "", value)]);
}
