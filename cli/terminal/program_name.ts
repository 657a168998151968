import process from "node:process";
import { isGranted } from "../../data/permissions.ts";

/** How the user calls the program in a checkout, by the tasks of `deno.json`. */
export const TASKS = "deno task";
/** Where npx says which command it runs, and npm which script. */
const SCRIPT = "npm_lifecycle_script";

/**
 * How the user calls the program where no task does: `npx kanpress`, or `kanpress`, as the command
 * is named that `deno install` and `npm install` put on the path.
 */
export function programName(environment: Readonly<Record<string, string | undefined>> = granted()) {
  // npx may also have started Deno or Node, which were told to run this.
  return /^(['"]?)kanpress\1$/.test(environment[SCRIPT] ?? "") ? "npx kanpress" : "kanpress";
}

/** What may be read of the environment: help is not worth a question for a permission. */
function granted(): Record<string, string | undefined> {
  return isGranted({ name: "env", variable: SCRIPT }) ? { [SCRIPT]: process.env[SCRIPT] } : {};
}
