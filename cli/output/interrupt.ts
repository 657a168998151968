import { readFileSync } from "node:fs";
import process from "node:process";
import { isatty } from "node:tty";
import { Interrupted } from "../terminal/errors.ts";
import { publishedOutputs } from "./output.ts";
import { isWorkKept } from "./work_folder.ts";

/** How long the last work of a process may take, in milliseconds. */
const MOST_TIME_TO_END = 3000;

/** Turns Ctrl-C into an ordinary error. */
export interface InterruptWatch {
  /** Aborted, with {@linkcode Interrupted} as the reason, when the user presses Ctrl-C. */
  readonly signal: AbortSignal;
  /**
   * As `work`, but rejects with {@linkcode Interrupted} as soon as the user presses Ctrl-C, or
   * resolves then where that is expected.
   */
  guard(work: Promise<unknown>): Promise<unknown>;
  /** Says that Ctrl-C is from now on how the command is to end. */
  expect(): void;
  /** Has `work` done before the process ends by Ctrl-C, if that takes no more than a few seconds. */
  beforeEnd(work: () => Promise<unknown>): void;
  /** Gives the signals back to the system. */
  stop(): void;
}

/** Listens for Ctrl-C and for other signals that end a process until it is stopped. */
export function watchForInterrupt(): InterruptWatch {
  const controller = new AbortController();
  const abort = () => controller.abort(new Interrupted(publishedOutputs(), isWorkKept()));
  const stops = listen(abort);
  let isExpected = false;
  const last: (() => Promise<unknown>)[] = [];
  const finish = async () => {
    if (last.length === 0) return;
    const late = new Promise((resolve) => setTimeout(resolve, MOST_TIME_TO_END));
    await Promise.race([Promise.allSettled(last.map((work) => work())), late]);
  };
  return {
    signal: controller.signal,
    guard(work) {
      const interrupted = new Promise<void>((resolve, reject) => {
        controller.signal.addEventListener("abort", async () => {
          await finish();
          if (isExpected) resolve();
          else reject(controller.signal.reason);
        });
      });
      // What ends by the signal itself waits for the same.
      const ended = work.finally(() => controller.signal.aborted ? interrupted : undefined);
      return Promise.race([ended, interrupted]);
    },
    expect: () => isExpected = true,
    beforeEnd: (work) => last.push(work),
    stop() {
      for (const stop of stops) stop();
    },
  };
}

/** Listens for Ctrl-C, a request to end, and the end of the terminal, as the system has them. */
function listen(abort: () => void): (() => void)[] {
  // Must be known first: with its first listener Deno makes the end of the terminal its own end.
  const hangup = isHangupIgnored() ? () => {} : abort;
  const listeners: [NodeJS.Signals, () => void][] = [["SIGINT", abort], ["SIGHUP", hangup]];
  if (process.platform !== "win32") listeners.push(["SIGTERM", abort]);
  for (const [name, listener] of listeners) process.on(name, listener);
  return listeners.map(([name, listener]) => () => process.off(name, listener));
}

/**
 * Whether the process was started to outlive its terminal, as by nohup. Linux tells, but Deno lets
 * only programs with all permissions read it; otherwise, nohup is known by leaving no stream at the
 * terminal.
 */
function isHangupIgnored(): boolean {
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1];
    if (ignored !== undefined) return (Number.parseInt(ignored.slice(-1), 16) & 1) === 1;
  } catch {
    // Another system, or no permission.
  }
  return ![0, 1, 2].some(isatty);
}
