import { endFor } from "../command_line.ts";

/** What is compressed with. */
export interface Try {
  /** As it was written. */
  readonly label: string;
  /** Names of texts and how often each counts. */
  readonly texts: ReadonlyMap<string, number>;
  /** Numbers by option. */
  readonly noise?: number;
  readonly predicted?: number;
  readonly bits?: number;
  readonly states?: number;
}

const OPTIONS = [
  "noise",
  "predicted",
  "bits",
  "states",
] as const;

/** `cover+own*2,noise=4`. */
export function parseTry(label: string): Try {
  const [texts = "", ...options] = label.split(",");
  const names = new Map<string, number>();
  for (const text of texts.split("+")) {
    const [name = "", weight = "1"] = text.split("*");
    names.set(name, Number(weight));
  }
  const numbers: Partial<Record<typeof OPTIONS[number], number>> = {};
  for (const option of options) {
    const [name, value] = option.split("=");
    const known = OPTIONS.find((one) => one === name);
    if (known === undefined || !Number.isFinite(Number(value))) {
      endFor(`${label}: ${option} is none of ${OPTIONS.join(", ")} with a number`);
    }
    numbers[known] = Number(value);
  }
  return { label, texts: names, ...numbers };
}
