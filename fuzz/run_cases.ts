/**
 * Runs cases of one target in this process and tells of each in a line of JSON on stdout; started by
 * `supervise.ts`, which watches it. Arguments: the target, the seed, the first case, the number of
 * cases, and the file where each input is left before it is read; that of a fault stays as `FILE-CASE`.
 * Without the last two numbers the file is read instead of made.
 */
import { InputError } from "../data/input_error.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { caseSeed, loadTarget } from "./target.ts";

/** What is told of a case. */
export type CaseMessage =
  | { readonly start: number }
  | {
    readonly end: number;
    readonly outcome: "read" | "refused" | "fault";
    /** What a reader threw that was not an InputError. */
    readonly message?: string;
    readonly milliseconds: number;
  };

const encoder = new TextEncoder();

function tell(message: CaseMessage): void {
  const line = encoder.encode(`${JSON.stringify(message)}\n`);
  for (let at = 0; at < line.length;) at += Deno.stdout.writeSync(line.subarray(at));
}

async function runCase(number: number, input: Uint8Array): Promise<void> {
  tell({ start: number });
  const start = performance.now();
  const ended = () => ({ end: number, milliseconds: performance.now() - start });
  try {
    await target.read(input);
    tell({ ...ended(), outcome: "read" });
  } catch (error) {
    if (error instanceof InputError) return tell({ ...ended(), outcome: "refused" });
    const message = error instanceof Error ? error.stack ?? error.message : String(error);
    // The next case, which may begin before this is heard, must not overwrite it.
    if (cases !== undefined) await Deno.copyFile(file!, `${file}-${number}`);
    tell({ ...ended(), outcome: "fault", message });
  }
}

const [name, seed, file, first, cases] = Deno.args;
const target = await loadTarget(name!);
if (cases === undefined) {
  await runCase(0, await Deno.readFile(file!));
} else {
  for (let number = Number(first); number < Number(first) + Number(cases); number++) {
    const input = await target.mutate(createRandom(caseSeed(target.name, Number(seed), number)));
    await Deno.writeFile(file!, input);
    await runCase(number, input);
  }
}
// What a reader left running would keep the process.
Deno.exit(0);
