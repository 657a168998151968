import { rmSync } from "node:fs";

/** A folder of a test's own, which goes with all that is in it at the end of the scope. */
export class TemporaryFolder implements Disposable {
  readonly path: string;

  /** Makes it among the system's temporary files unless `options` name another place. */
  constructor(options: Deno.MakeTempOptions = {}) {
    this.path = Deno.makeTempDirSync({ prefix: "kanpress-test-", ...options });
  }

  [Symbol.dispose](): void {
    // A test may have removed it already.
    rmSync(this.path, { recursive: true, force: true });
  }
}
