import { existsSync } from "node:fs";
import { spawnSync } from "node:child_process";

const required = Deno.env.get("KANPRESS_REQUIRE_ALL") === "1";
const LEFT_OUT = "skipping tests on several hosts";

/** What makes a network of one's own: as another user in one's own eyes, or else as root. */
const WAYS = ["-rnm", "-nm"];
const way = findWay();

/**
 * The way to make hosts, or undefined. A program that is missing can be installed, so that tests fail
 * where everything must run; a kernel that forbids it cannot be helped, so that they never do.
 */
function findWay(): string | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const missing = ["ip", "unshare", "nsenter"].filter((name) =>
    !["/usr/sbin", "/usr/bin", "/sbin", "/bin"].some((folder) => existsSync(`${folder}/${name}`))
  );
  if (missing.length > 0) {
    console.warn(
      `${LEFT_OUT}: install iproute2 and util-linux (${missing.join(", ")}) to run them`,
    );
    return required ? WAYS[0] : undefined;
  }
  let reason = "";
  for (const way of WAYS) {
    const make = "ip link add name kanpress type bridge && ip link add one type veth peer name two";
    const { status, stderr } = spawnSync("unshare", [way, "sh", "-c", make]);
    if (status === 0) return way;
    reason ||= stderr.toString().trim().split("\n")[0]!;
  }
  console.warn(`${LEFT_OUT}: the kernel lets this user have no networks of their own (${reason})`);
  return undefined;
}

/** Options of a test on several hosts: left out where there can be none. */
export const needsHosts: { readonly ignore: boolean } = { ignore: way === undefined };

/** What a host is made of, in the network of its own: a cable from its only port to a bridge. */
const SETUP = `
mount -t tmpfs tmpfs /run
ip link set lo up
ip link add name bridge type bridge && ip link set bridge up
number=0
for host in "$@"; do
  number=$((number + 1))
  ip netns add "$host"
  ip link add "$host" type veth peer name port netns "$host"
  ip link set "$host" master bridge up
  ip -n "$host" address add "10.99.0.$number/24" dev port
  ip -n "$host" link set lo up
  ip -n "$host" link set port up
done
echo "$$"
exec cat`;

/**
 * Hosts that share files and processors, and nothing of their networks: each has an address and a
 * cable to a switch, which can be pulled. They are gone when they are disposed of; what runs on them
 * is to be ended before.
 */
export class Hosts implements AsyncDisposable {
  readonly #names: readonly string[];
  readonly #process: Deno.ChildProcess;
  /** The process that holds the networks. */
  readonly #holder: string;

  private constructor(names: readonly string[], process: Deno.ChildProcess, holder: string) {
    this.#names = names;
    this.#process = process;
    this.#holder = holder;
  }

  /** Makes hosts of these names, of 15 letters at most. */
  static async make(...names: readonly string[]): Promise<Hosts> {
    const process = new Deno.Command("unshare", {
      args: [way!, "sh", "-ec", SETUP, "sh", ...names],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    let said = "";
    for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (said.endsWith("\n")) break;
    }
    if (!/^\d+\n$/.test(said)) {
      throw new Error(`no hosts, but status ${(await process.status).code}`);
    }
    return new Hosts(names, process, said.trim());
  }

  /** Address of a host. */
  addressOf(name: string): string {
    return `10.99.0.${this.#names.indexOf(name) + 1}`;
  }

  /** What is put before a command, so that it runs on a host; its process is the command's own. */
  at(name: string): string[] {
    return [...this.#enter(), `--net=/proc/${this.#holder}/root/run/netns/${name}`];
  }

  /** Pulls the cable of a host: what is on its way is lost, and no one is told. */
  async cut(name: string): Promise<void> {
    await this.#set(name, "down");
  }

  /** Puts the cable of a host back. */
  async mend(name: string): Promise<void> {
    await this.#set(name, "up");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stdin.close();
    await this.#process.status;
  }

  async #set(name: string, state: "up" | "down"): Promise<void> {
    const [program, ...args] = [...this.#enter(), `--net=/proc/${this.#holder}/ns/net`];
    const command = ["ip", "link", "set", name, state];
    const { success } = await new Deno.Command(program!, { args: [...args, ...command] }).output();
    if (!success) throw new Error(`the link of ${name} cannot be set ${state}`);
  }

  #enter(): string[] {
    const user = way!.includes("r") ? ["--user", "--preserve-credentials"] : [];
    return ["nsenter", "--target", this.#holder, ...user];
  }
}
