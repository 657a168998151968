import { randomUUID } from "node:crypto";
import { CODING_VERSION } from "../hierarchy/workers/coding_tasks.ts";
import { KEY_PREFIX, type RedisLink, writeError } from "./redis_link.ts";

/** What takes part: runs of `compress`, and workers. */
export type Role = "run" | "worker";

/** What one that takes part says of itself. */
export interface Participant {
  /** Its own name. */
  readonly id: string;
  /** Version of the coding tasks; of another, it has queues of its own. */
  readonly version: number;
  /** Its store, as in the names of queues. */
  readonly store: string;
  /** Tasks that it runs at once; 0 of a run. */
  readonly threads: number;
  /** Bytes of memory that its tasks may need; 0 of a run. */
  readonly memory: number;
}

/** One's own presence, which is made known until it ends. */
export interface Presence {
  /** Its name. */
  readonly id: string;
  /** Makes it known now, not only every few seconds; from now on with so much memory, if given. */
  announce(memory?: number): Promise<void>;
  /** Says that it is gone. */
  end(): Promise<void>;
}

/** Who was not seen for so many milliseconds, by the server's clock, is gone. */
export const GONE_AFTER = 20_000;
const BETWEEN_SIGNS = 4000;

const keyOf = (role: Role) => `${KEY_PREFIX}:${role}s`;

/** Makes known that one takes part. */
export async function takePart(
  link: RedisLink,
  role: Role,
  what: Pick<Participant, "store" | "threads" | "memory">,
): Promise<Presence> {
  const { client } = link;
  const id = randomUUID();
  let hasEnded = false;
  let { memory } = what;
  const announce = async (changed = memory) => {
    memory = changed;
    const seen = await serverTime(link);
    if (hasEnded) return;
    const said = { ...what, memory, version: CODING_VERSION, seen };
    await client.hset(keyOf(role), id, JSON.stringify(said)).catch((error) => {
      throw writeError(link.address, error);
    });
  };
  await announce();
  // A sign that fails is followed by others.
  const timer = setInterval(() => announce().catch(() => {}), BETWEEN_SIGNS);
  return {
    id,
    announce,
    async end() {
      hasEnded = true;
      clearInterval(timer);
      await client.hdel(keyOf(role), id);
    },
  };
}

/** Those of a role that are there; others' entries are removed. */
export async function participants(link: RedisLink, role: Role): Promise<Participant[]> {
  const { client } = link;
  const now = await serverTime(link);
  const found: Participant[] = [];
  for (const [id, text] of Object.entries(await client.hgetall(keyOf(role)))) {
    const said = parse(id, text);
    // Signs of the future are of before the server's clock was set back.
    if (said === undefined || Math.abs(now - said.seen) > GONE_AFTER) {
      await client.hdel(keyOf(role), id);
    } else found.push(said);
  }
  return found;
}

/** Milliseconds by the server's clock: those of the machines may differ, or be set. */
async function serverTime({ client }: RedisLink): Promise<number> {
  const [seconds, microseconds] = await client.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}

function parse(id: string, text: string): Participant & { seen: number } | undefined {
  try {
    const { version, store, threads, memory, seen } = JSON.parse(text);
    const isSound = [version, threads, memory, seen].every((count) =>
      Number.isSafeInteger(count) && count >= 0
    ) && typeof store === "string" && /^[\da-z-]{1,40}$/.test(store);
    return isSound ? { id, version, store, threads, memory, seen } : undefined;
  } catch {
    return undefined;
  }
}
