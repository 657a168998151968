import type { Queue } from "bullmq";
import type { RedisLink } from "./redis_link.ts";

/**
 * Lets what a server keeps for a while not last longer than it may: locks of a queue's jobs, and the
 * mark that jobs without one have just been looked for. After its clock was set back they would last
 * for as long, and a task whose worker is gone would wait for hours. `longest` is in milliseconds.
 */
export async function shortenLocks(
  { client }: RedisLink,
  queue: Pick<Queue, "toKey">,
  longest: number,
): Promise<void> {
  const active = await client.lrange(queue.toKey("active"), 0, -1);
  const locks = active.map((id) => `${queue.toKey(id)}:lock`);
  for (const key of [queue.toKey("stalled-check"), ...locks]) {
    if (await client.pttl(key) > longest) await client.pexpire(key, longest);
  }
}
