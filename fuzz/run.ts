/**
 * `deno task fuzz`: reads inputs that are almost sound with every reader of input from outside. See
 * docs/reliability.md.
 */
import { Command, InvalidArgumentError } from "commander";
import { type Fault, supervise, type TargetResult } from "./supervise.ts";
import { loadTarget, targetNames } from "./target.ts";

interface FuzzOptions {
  readonly cases: number;
  readonly seed: number;
  readonly first: number;
  readonly seconds: number;
  readonly caseSeconds: number;
  readonly megabytes: number;
  readonly faults: number;
  readonly target?: readonly string[];
  readonly input?: string;
  readonly list?: true;
  readonly json?: true;
}

/** Where inputs that lead to faults are kept. */
const FAILURES = new URL("failures/", import.meta.url).pathname;

function atLeast(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It is not an integer from ${least} on.`);
  };
}

const program = new Command("deno task fuzz")
  .description(
    "Reads inputs that are almost sound. Each must be read or be refused with one clear error, " +
      "in bounded time and memory.",
  )
  .option("--cases <number>", "cases in all, shared out evenly among the targets", atLeast(1), 5000)
  .option(
    "--seed <number>",
    "seed of the cases: the same seed makes the same inputs",
    atLeast(0),
    1,
  )
  .option("--target <name...>", "targets to run; all by default")
  .option("--first <number>", "number of the first case of each target", atLeast(0), 0)
  .option("--seconds <number>", "begin no case after so long, shared out too", atLeast(1), 3600)
  .option("--case-seconds <number>", "most seconds of computing of one case", atLeast(1), 5)
  .option("--megabytes <number>", "most memory of the process of a target", atLeast(64), 512)
  .option("--faults <number>", "end a target after this many faults", atLeast(1), 20)
  .option("--input <file>", "read this file with the one target that is named")
  .option("--list", "name the targets and end")
  .option("--json", "print one JSON object")
  .addHelpText(
    "after",
    "\nExamples:\n  deno task fuzz\n  deno task fuzz --cases 200000 --seed 7\n" +
      "  deno task fuzz --target kan_file --first 17 --cases 1\n" +
      "  deno task fuzz --target kan_file --input fuzz/failures/kan_file-1-17",
  )
  .allowExcessArguments(false);

async function main(options: FuzzOptions): Promise<number> {
  const known = await targetNames();
  if (options.list) {
    for (const name of known) console.log(`${name}: ${(await loadTarget(name)).description}`);
    return 0;
  }
  const names = options.target ?? known;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) program.error(`there is no target ${unknown}: ${known.join(", ")}`);
  if (options.input !== undefined && names.length !== 1) {
    program.error("--input is read by one target: name it with --target");
  }
  const scratch = await Deno.makeTempDir({ prefix: "kanpress-fuzz-" });
  try {
    const end = performance.now() + 1000 * options.seconds;
    const total = options.input === undefined ? options.cases : 1;
    const shares = names.map((target, i) => {
      const share = Math.floor((total + i) / names.length);
      return { target, share, done: nothingDone(target) };
    });
    // What the fast ones leave of the time is for those that did not get through their share.
    for (let pass = 0; pass < 2; pass++) {
      const left = shares.filter(({ share, done }) =>
        done.cases < share && done.faults.length < options.faults
      );
      for (const [i, { target, share, done }] of left.entries()) {
        const more = await supervise({
          ...options,
          target,
          first: options.first + done.cases,
          cases: share - done.cases,
          seconds: Math.max(1, (end - performance.now()) / 1000 / (left.length - i)),
          mostFaults: options.faults - done.faults.length,
          scratch,
          onFault: (fault, input) => report(target, options, fault, input),
        });
        Object.assign(done, sumOf(done, more));
      }
    }
    const results = shares.map(({ done }) => done);
    if (!options.json) { for (const result of results) console.error(describe(result)); }
    if (options.json) console.log(JSON.stringify({ seed: options.seed, results }));
    return results.some(({ faults }) => faults.length > 0) ? 1 : 0;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Keeps the input of a fault and says how to run it again. */
function report(target: string, { seed, input: given }: FuzzOptions, fault: Fault, file: string) {
  const { number, what } = fault;
  let kept = given;
  if (kept === undefined) {
    Deno.mkdirSync(FAILURES, { recursive: true });
    kept = `${FAILURES}${target}-${seed}-${number}`;
    Deno.copyFileSync(file, kept);
  }
  console.error(`FAULT in ${target}, seed ${seed}, case ${number}: ${what}`);
  console.error(`  its input is in ${kept}`);
  console.error(`  again: deno task fuzz --target ${target} --input ${kept}`);
}

function nothingDone(target: string): TargetResult {
  const none = { cases: 0, read: 0, refused: 0, faults: [] };
  return { target, ...none, slowest: 0, peakMegabytes: 0, seconds: 0 };
}

function sumOf(a: TargetResult, b: TargetResult): TargetResult {
  return {
    target: a.target,
    cases: a.cases + b.cases,
    read: a.read + b.read,
    refused: a.refused + b.refused,
    faults: [...a.faults, ...b.faults],
    slowest: Math.max(a.slowest, b.slowest),
    peakMegabytes: Math.max(a.peakMegabytes, b.peakMegabytes),
    seconds: a.seconds + b.seconds,
  };
}

function describe({ target, cases, read, refused, faults, ...took }: TargetResult): string {
  return `${target}: ${cases} cases, ${read} read, ${refused} refused, ${faults.length} faults; ` +
    `slowest ${took.slowest.toFixed(0)} ms, at most ${took.peakMegabytes} MB, ` +
    `${took.seconds.toFixed(0)} s in all`;
}

Deno.exit(await main(program.parse(["deno", "fuzz", ...Deno.args]).opts<FuzzOptions>()));
