import { Interrupted } from "./errors.ts";

/** Turns Ctrl-C into an ordinary error. */
export interface InterruptWatch {
  /** Aborted, with {@linkcode Interrupted} as the reason, when the user presses Ctrl-C. */
  readonly signal: AbortSignal;
  /** As `work`, but rejects with {@linkcode Interrupted} as soon as the user presses Ctrl-C. */
  guard<T>(work: Promise<T>): Promise<T>;
  /** Gives the signal back to the system. */
  stop(): void;
}

/** Listens for Ctrl-C (SIGINT, and SIGTERM where the system has it) until it is stopped. */
export function watchForInterrupt(): InterruptWatch {
  const controller = new AbortController();
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const abort = () => controller.abort(new Interrupted());
  for (const name of signals) Deno.addSignalListener(name, abort);
  return {
    signal: controller.signal,
    guard<T>(work: Promise<T>): Promise<T> {
      const interrupted = new Promise<never>((_, reject) => {
        controller.signal.addEventListener("abort", () => reject(controller.signal.reason));
      });
      return Promise.race([work, interrupted]);
    },
    stop() {
      for (const name of signals) Deno.removeSignalListener(name, abort);
    },
  };
}
