import { existsSync } from "node:fs";
import { join } from "node:path";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";

/** Where Debian's package libfaketime has its library. */
const LIBRARY = `/usr/lib/${Deno.build.arch}-linux-gnu/faketime/libfaketime.so.1`;
const required = Deno.env.get("KANPRESS_REQUIRE_ALL") === "1";
const isThere = existsSync(LIBRARY);
if (!isThere && !required) {
  console.warn("skipping tests that set a server's clock: install libfaketime to run them");
}

/** Whether the clocks of processes cannot be set, and need not be. */
export const cannotSetClocks: boolean = !isThere && !required;

/** The clock of processes that are started with `environment`; it can be set while they run. */
export class SetClock implements Disposable {
  readonly #folder = new TemporaryFolder();
  readonly #file = join(this.#folder.path, "clock");
  /** For a process whose clock it is; what measures durations is left as it is. */
  readonly environment: Readonly<Record<string, string>> = {
    // Debian's Redis has jemalloc, which asks for the time before the library is ready: libc's is taken.
    LD_PRELOAD: `${LIBRARY} libc.so.6`,
    FAKETIME_TIMESTAMP_FILE: this.#file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };

  constructor() {
    this.set(0);
  }

  /** Sets it so many seconds ahead, or back. */
  set(seconds: number): void {
    Deno.writeTextFileSync(this.#file, `${seconds < 0 ? "" : "+"}${seconds}s\n`);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}
