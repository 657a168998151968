import type { CaseMessage } from "./run_cases.ts";

/** Which cases of a target are run, and how much each may take. */
export interface Supervision {
  /** Name of the target. */
  readonly target: string;
  /** Seed of the cases. */
  readonly seed: number;
  /** Number of the first case. */
  readonly first: number;
  /** Number of cases. */
  readonly cases: number;
  /** Seconds of computing that one case may take. */
  readonly caseSeconds: number;
  /** MB that the process may take. */
  readonly megabytes: number;
  /** Seconds after which no further case is begun. */
  readonly seconds: number;
  /** Faults after which no further case is begun. */
  readonly mostFaults: number;
  /** Folder for the inputs while they are read. */
  readonly scratch: string;
  /** Input to read instead of those that the target makes. */
  readonly input?: string;
  /** Called with each fault and with the file of its input, which stays until this returns. */
  readonly onFault: (fault: Fault, input: string) => void;
}

/** An input that was neither read nor refused as it should be. */
export interface Fault {
  /** Number of the case. */
  readonly number: number;
  /** What happened. */
  readonly what: string;
}

/** What came of the cases of a target. */
export interface TargetResult {
  /** Name of the target. */
  readonly target: string;
  /** Cases that were run. */
  readonly cases: number;
  /** Cases that were read without an error. */
  readonly read: number;
  /** Cases that were refused with an InputError. */
  readonly refused: number;
  /** Cases that were neither. */
  readonly faults: readonly Fault[];
  /** Longest time of a case that ended, in milliseconds. */
  readonly slowest: number;
  /** Most memory of the process, in MB; 0 where the system does not tell. */
  readonly peakMegabytes: number;
  /** Seconds of all cases, the preparation included. */
  readonly seconds: number;
}

/** Seconds that a target may take to make its sound inputs. */
const PREPARATION_SECONDS = 120;
/** What targets may load libraries from. */
const NATIVE = new URL("../native/node_modules", import.meta.url).pathname;
const MILLISECONDS_BETWEEN_LOOKS = 50;
/** A case that computes nothing, or a machine with much else to do, gets this many times as long. */
const PATIENCE = 6;

/**
 * Runs cases of a target in a process of its own. One that hangs, takes too much memory or ends the
 * process is a fault like any other, and the cases after it run in a new process.
 */
export async function supervise(options: Supervision): Promise<TargetResult> {
  const start = performance.now();
  const deadline = start + 1000 * options.seconds;
  const result = {
    target: options.target,
    cases: 0,
    read: 0,
    refused: 0,
    faults: [] as Fault[],
    slowest: 0,
    peakMegabytes: 0,
  };
  const end = options.first + options.cases;
  for (let next = options.first; next < end && performance.now() < deadline;) {
    if (result.faults.length >= options.mostFaults) break;
    const process = new CaseProcess(options, next, end - next);
    for await (const message of process.messages()) {
      if ("start" in message) continue;
      const { end: number, outcome, milliseconds } = message;
      next = number + 1;
      result.cases++;
      result.slowest = Math.max(result.slowest, milliseconds);
      if (outcome === "fault") {
        const fault = { number, what: message.message ?? "threw nothing" };
        result.faults.push(fault);
        const isMade = options.input === undefined;
        options.onFault(fault, isMade ? `${process.inputFile}-${number}` : process.inputFile);
      } else result[outcome]++;
      if (performance.now() > deadline || result.faults.length >= options.mostFaults) {
        process.stop();
      }
    }
    const { died, started, peakMegabytes } = await process.ended();
    result.peakMegabytes = Math.max(result.peakMegabytes, peakMegabytes);
    if (died === undefined) break;
    if (started === undefined) throw new Error(`target ${options.target} does not start: ${died}`);
    const fault = { number: started, what: died };
    result.cases++;
    result.faults.push(fault);
    options.onFault(fault, process.inputFile);
    next = started + 1;
  }
  return { ...result, seconds: (performance.now() - start) / 1000 };
}

/** A process that runs cases, and is ended where one takes too much. */
class CaseProcess {
  readonly inputFile: string;
  readonly #options: Supervision;
  readonly #process: Deno.ChildProcess;
  readonly #errors: Promise<string>;
  readonly #timer: ReturnType<typeof setInterval>;
  /** The case that is being read, and since when. */
  #running: number | undefined;
  #since = performance.now();
  #anyStarted = false;
  /** Whether it has not been looked at since the last message, and what it had computed before. */
  #isNew = true;
  #computedBefore: number | undefined;
  /** Why it was ended, where it was. */
  #ended: string | undefined;
  #stopped = false;
  #peakMegabytes = 0;

  constructor(options: Supervision, first: number, cases: number) {
    this.#options = options;
    this.inputFile = options.input ?? `${options.scratch}/input`;
    const counts = options.input === undefined ? [String(first), String(cases)] : [];
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        "--allow-read",
        `--allow-write=${options.scratch}`,
        "--allow-env",
        `--allow-ffi=${NATIVE}`,
        `--v8-flags=--max-old-space-size=${options.megabytes}`,
        new URL("run_cases.ts", import.meta.url).href,
        options.target,
        String(options.seed),
        this.inputFile,
        ...counts,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#errors = lastPart(this.#process.stderr);
    this.#timer = setInterval(() => this.#look(), MILLISECONDS_BETWEEN_LOOKS);
  }

  async *messages(): AsyncGenerator<CaseMessage> {
    for await (const line of linesOf(this.#process.stdout)) {
      const message: CaseMessage = JSON.parse(line);
      this.#since = performance.now();
      this.#isNew = true;
      this.#running = "start" in message ? message.start : undefined;
      this.#anyStarted = true;
      yield message;
    }
  }

  /** Ends the process without blame. */
  stop(): void {
    this.#stopped = true;
    this.#kill();
  }

  async ended(): Promise<{ died?: string; started?: number; peakMegabytes: number }> {
    const { code, signal } = await this.#process.status;
    clearInterval(this.#timer);
    const errors = await this.#errors;
    const peakMegabytes = this.#peakMegabytes;
    if (this.#stopped || (code === 0 && this.#ended === undefined)) return { peakMegabytes };
    const how = this.#ended ?? `the process ended with ${signal ?? `status ${code}`}: ${errors}`;
    const started = this.#running === undefined ? {} : { started: this.#running };
    return { died: how, ...started, peakMegabytes };
  }

  #look(): void {
    const { caseSeconds, megabytes } = this.#options;
    const usage = usageOf(this.#process.pid);
    this.#peakMegabytes = Math.max(this.#peakMegabytes, usage.peak);
    if (this.#isNew) this.#computedBefore = usage.computed;
    this.#isNew = false;
    const seconds = (performance.now() - this.#since) / 1000;
    const computed = usage.computed === undefined
      ? seconds
      : usage.computed - (this.#computedBefore ?? 0);
    // Between cases the target makes the next input, which takes long before the first only.
    const most = this.#anyStarted ? caseSeconds : PREPARATION_SECONDS;
    if (usage.now > megabytes) this.#end(`took more than ${megabytes} MB of memory`);
    else if (computed > most || seconds > PATIENCE * most) this.#end(`took longer than ${most} s`);
  }

  #end(why: string): void {
    this.#ended ??= why;
    this.#kill();
  }

  #kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

interface Usage {
  /** MB of memory now, and at most so far; 0 where the system does not tell. */
  readonly now: number;
  readonly peak: number;
  /** Seconds that it has computed; absent where the system does not tell. */
  readonly computed?: number;
}

/** What a process takes, where the system tells. */
function usageOf(pid: number): Usage {
  let status: string, times: string[];
  try {
    status = Deno.readTextFileSync(`/proc/${pid}/status`);
    // What follows the name, which may have spaces: the state is field 3.
    times = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ").at(-1)!.split(" ");
  } catch {
    return { now: 0, peak: 0 };
  }
  const megabytes = (key: string) =>
    Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) / 1024;
  // Fields 14 and 15, in hundredths of a second.
  const computed = (Number(times[11]) + Number(times[12])) / 100;
  return { now: megabytes("VmRSS"), peak: Math.round(megabytes("VmHWM")), computed };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** The end of what a process says. */
async function lastPart(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let part = "";
  for await (const bytes of stream) {
    part = (part + decoder.decode(bytes, { stream: true })).slice(-2000);
  }
  return part.trim();
}
