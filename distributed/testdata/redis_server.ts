import { spawnSync } from "node:child_process";
import { connect, createServer, type Socket } from "node:net";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";

const required = Deno.env.get("KANPRESS_REQUIRE_ALL") === "1";
const isThere = spawnSync("redis-server", ["--version"]).status === 0;
if (!isThere && !required) {
  console.warn("skipping tests with Redis: install redis-server to run them");
}

/** Options of a test with a real Redis server: left out without one, unless everything must run. */
export const needsRedis: { readonly ignore: boolean } = { ignore: !isThere && !required };

/** A Redis server of a test's own, which keeps its data while it is stopped, if it is told to. */
export class RedisServer {
  readonly #arguments: readonly string[];
  readonly folder: TemporaryFolder = new TemporaryFolder();
  readonly port: number = freePort();
  /** Variables of its environment. */
  environment: Readonly<Record<string, string>> = {};
  #process: Deno.ChildProcess | undefined;

  constructor(...args: readonly string[]) {
    this.#arguments = args;
  }

  get address(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, anew or for the first time, and waits until it answers. */
  async start(): Promise<void> {
    const where = ["--bind", "127.0.0.1", "--port", `${this.port}`, "--dir", this.folder.path];
    this.#process = new Deno.Command("redis-server", {
      args: [...where, "--loglevel", "warning", "--save", "", ...this.#arguments],
      env: this.environment,
      stdout: "null",
      stderr: "null",
    }).spawn();
    for (let tries = 0; tries < 100; tries++) {
      if (await this.#answers()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("redis-server does not answer");
  }

  /** Lets it answer nothing, though its connections stay, or answer again. */
  freeze(isFrozen: boolean): void {
    this.#process?.kill(isFrozen ? "SIGSTOP" : "SIGCONT");
  }

  /** Stops it; without a file for what is appended, it forgets everything. */
  async stop(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.folder[Symbol.dispose]();
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, "127.0.0.1", () => socket.write("PING\r\n"));
      const end = (answer: boolean) => {
        socket.destroy();
        resolve(answer);
      };
      // While it reads its file it says so.
      socket.on("data", (data) => end(/PONG|NOAUTH/.test(data.toString())));
      socket.on("error", () => end(false));
    });
  }
}

/** A way to a server that can be cut. */
export class CutWay implements Disposable {
  readonly #sockets = new Set<Socket>();
  readonly port: number = freePort();
  readonly #server;

  constructor(port: number) {
    this.#server = createServer((here) => {
      const there = connect(port, "127.0.0.1");
      for (const [from, to] of [[here, there], [there, here]] as const) {
        this.#sockets.add(from);
        from.pipe(to);
        from.on("error", () => to.destroy());
        from.on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    }).listen(this.port, "127.0.0.1");
  }

  get address(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Cuts all connections; new ones can be made. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  [Symbol.dispose](): void {
    this.#server.close();
    this.cut();
  }
}

/** A port that nobody has at the moment. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}
