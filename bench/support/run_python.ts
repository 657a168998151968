import { InputError } from "../../data/input_error.ts";

/**
 * What a script of this folder prints in a Python that has `packages`, given a text on its standard
 * input. Throws {@linkcode InputError} where the Python is missing, or ends otherwise than well.
 */
export async function runPython(
  python: string,
  script: string,
  packages: string,
  input: string,
): Promise<string> {
  const path = new URL(script, import.meta.url).pathname;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(python, {
      args: [path],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    throw new InputError(`--python ${python}: cannot be run (${(error as Error).message})`, {
      cause: error,
    });
  }
  const output = child.output();
  try {
    await new Response(input).body!.pipeTo(child.stdin);
  } catch {
    // It ended before it read everything; its status says why.
  }
  const { stdout, stderr, code } = await output;
  if (code === 0) return new TextDecoder().decode(stdout).trim();
  const last = new TextDecoder().decode(stderr).trim().split("\n").at(-1) || `status ${code}`;
  throw new InputError(`--python ${python}: ${last}; it needs ${packages}`);
}
