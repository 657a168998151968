/** A script in a process of its own that answers lines of JSON with lines of JSON. */
export interface ChildProcess {
  /** Sends a request and gives the answer to it. */
  ask<T>(request: unknown): Promise<T>;
  /** Ends the process. */
  close(): Promise<void>;
}

/** Without it, ONNX Runtime would tell Microsoft what it is used for. */
const ENVIRONMENT = { ORT_DISABLE_TELEMETRY: "1" };

/**
 * Runs a script of this folder until it says that it is ready. Throws where the process ends before;
 * what it says is on stderr.
 */
export async function startChild(script: string, args: readonly string[]): Promise<ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", script, ...args],
    env: ENVIRONMENT,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = readLines(child.stdout);
  const writer = child.stdin.getWriter();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`${args.join(" ")} ended early`);
    return value;
  };
  await next();
  return {
    async ask(request) {
      // Node's readline takes these for ends of lines.
      const line = JSON.stringify(request).replaceAll(/[\u0085\u2028\u2029]/g, (unit) => {
        return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
      });
      await writer.write(new TextEncoder().encode(`${line}\n`));
      return JSON.parse(await next());
    },
    async close() {
      await writer.close();
      await lines.return();
      await child.status;
    },
  };
}

/** Whether all packages that a script imports have been downloaded. */
export async function isCached(script: string): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--allow-all", script],
    env: ENVIRONMENT,
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

async function* readLines(
  stream: ReadableStream<BufferSource>,
): AsyncGenerator<string, void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
