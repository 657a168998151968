import { fileURLToPath } from "node:url";
import { InputError } from "../../data/input_error.ts";
import "./command_line.ts";
import { residentMemory } from "./resident_memory.ts";

/** What running a kanpress command as a process of its own took. */
export interface MeasuredProcess {
  /** What it printed, parsed as JSON. */
  readonly output: Readonly<Record<string, unknown>>;
  /** Wall clock from its start to its end, in seconds. */
  readonly seconds: number;
  /** Processor time of all its threads, in seconds. */
  readonly processorSeconds: number;
  /** Peak of its resident memory in bytes. */
  readonly peak: number;
  /** Largest resident memory that was seen within each phase, in bytes. */
  readonly peaks: ReadonlyMap<string, number>;
  /** Processor time of each phase, in seconds. */
  readonly phaseProcessorSeconds: ReadonlyMap<string, number>;
}

const PROGRAM = fileURLToPath(new URL("../../cli/task.ts", import.meta.url));
/** Milliseconds between two looks at the memory. */
const INTERVAL = 50;
/** Clock ticks per second in /proc, the same on every Linux. */
const TICKS = 100;

/** Processor time of a process so far, in seconds; 0 when it has ended. */
function processorTime(pid: number): number {
  try {
    // Fields 14 and 15, of which the second is in parentheses and may hold spaces.
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return 0;
  }
}

/**
 * Runs a kanpress command with `--json` as a process of its own and watches its memory (Linux only:
 * /proc). `onLine` hears what it tells meanwhile. Throws InputError with what it wrote to stderr where
 * it fails.
 */
export async function measureProcess(
  args: readonly string[],
  { onLine }: { readonly onLine?: (line: string) => void } = {},
): Promise<MeasuredProcess> {
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", PROGRAM, ...args, "--json"],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let peak = 0, sincePhase = 0, processorSeconds = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMemory(child.pid, "VmHWM"));
    processorSeconds = Math.max(processorSeconds, processorTime(child.pid));
    sincePhase = Math.max(sincePhase, residentMemory(child.pid, "VmRSS"));
  }, INTERVAL);
  const peaks = new Map<string, number>(), phaseProcessorSeconds = new Map<string, number>();
  let before = 0;
  const messages: string[] = [];
  const watch = async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      messages.push(text);
      for (const line of text.split(/[\r\n]+/)) if (line.trim() !== "") onLine?.(line.trim());
      for (const [, phase] of text.matchAll(/^(\w+): done in/gm)) {
        peaks.set(phase!, Math.max(peaks.get(phase!) ?? 0, sincePhase));
        sincePhase = 0;
        const now = processorTime(child.pid);
        phaseProcessorSeconds.set(phase!, (phaseProcessorSeconds.get(phase!) ?? 0) + now - before);
        before = now;
      }
    }
  };
  const [stdout, { code }] = await Promise.all([
    new Response(child.stdout).text(),
    child.status,
    watch(),
  ]);
  clearInterval(timer);
  if (code !== 0) {
    const lines = messages.join("").trim().split("\n");
    const error = lines.find((line) => line.startsWith("error: "))?.slice(7) ?? lines.at(-1);
    throw new InputError(`${args[0]} ended with status ${code}: ${error}`);
  }
  const seconds = (performance.now() - start) / 1000;
  return {
    output: JSON.parse(stdout),
    seconds,
    processorSeconds,
    peak,
    peaks,
    phaseProcessorSeconds,
  };
}
