import type { Redis } from "ioredis";
import { readFile } from "node:fs/promises";
import { fileError } from "../data/file_error.ts";
import { InputError } from "../data/input_error.ts";
import { hideCredentials, shownUrl } from "../data/shown_url.ts";

/** A connection to a Redis server, which comes back by itself where it is lost. */
export interface RedisLink {
  /** The client for what is short; BullMQ makes further connections like it. */
  readonly client: Redis;
  /** The client for entries of the store: what is short does not wait behind them. */
  readonly data: Redis;
  /** The address without user and password, for messages. */
  readonly address: string;
  /** Ends the connection at once. */
  close(): void;
}

/** How a {@linkcode connectRedis} is opened. */
export interface RedisLinkOptions {
  /** Password, where the address has none. */
  readonly password?: string | undefined;
  /** File with the certificates, as PEM, that vouch for a server with TLS; the system's if omitted. */
  readonly certificates?: string | undefined;
  /** How often the server is asked whether it is there, in milliseconds. */
  readonly betweenAsking?: number;
  /** Told in a line that the connection was lost, and that it is there again. */
  readonly onMessage?: (line: string) => void;
}

/** Every key of kanpress begins so. */
export const KEY_PREFIX = "kanpress";
/** What the environment says of a server, so that no command line has to. */
export function environmentOptions(
  environment: Readonly<Record<string, string | undefined>>,
): Pick<RedisLinkOptions, "password" | "certificates"> {
  return {
    password: environment.KANPRESS_REDIS_PASSWORD,
    certificates: environment.KANPRESS_REDIS_CA,
  };
}

/** What BullMQ needs. */
const OLDEST_REDIS = [6, 2];
/** A server that does not answer within this many milliseconds is not there. */
const CONNECT_TIMEOUT = 10_000;
/** Longest pause between two tries to connect again, in milliseconds. */
const LONGEST_PAUSE = 2000;
/** How often the server is asked whether it is there, in milliseconds. */
const BETWEEN_ASKING = 5000;
/** After so many looks without an answer a connection counts as lost; one for entries may be slow. */
const MOST_UNANSWERED = { client: 3, data: 120 } as const;

/** Checks an address such as `redis://host:6379/0` or, with TLS, `rediss://user:password@host`. */
export function checkRedisAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isSound = url !== undefined && /^rediss?:$/.test(url.protocol) && url.hostname !== "" &&
    /^\/?\d{0,5}$/.test(url.pathname) && url.search === "" && url.hash === "";
  if (isSound) return url;
  throw new InputError(
    `${shownUrl(address)}: is no address of a Redis server; use redis://host:6379 or, with TLS, ` +
      "rediss://host:6379, and /1 for another database",
  );
}

/**
 * Connects to a Redis server. Throws {@linkcode InputError} that names the server, never its password,
 * if it cannot be reached, refuses the password, or would drop tasks by itself.
 */
export async function connectRedis(
  text: string,
  { password, certificates, betweenAsking = BETWEEN_ASKING, onMessage }: RedisLinkOptions = {},
): Promise<RedisLink> {
  const url = checkRedisAddress(text);
  const address = hideCredentials(text).replace(/\/$/, "");
  const { Redis } = await import("ioredis");
  let isKnown = false, isLost = false, last: Error | undefined;
  const client = new Redis({
    // In addresses of IPv6 the host stands in brackets.
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(url.port || 6379),
    db: Number(url.pathname.slice(1) || 0),
    ...(url.username !== "" && { username: decodeURIComponent(url.username) }),
    ...(url.password !== ""
      ? { password: decodeURIComponent(url.password) }
      : password !== undefined && { password }),
    ...(url.protocol === "rediss:" && {
      tls: certificates === undefined ? {} : { ca: await readCertificates(certificates) },
    }),
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT,
    maxRetriesPerRequest: null,
    retryStrategy: (tries) => isKnown ? Math.min(100 * tries, LONGEST_PAUSE) : null,
  });
  client.on("error", (error: Error) => last = error);
  client.on("close", () => {
    if (!isKnown || isLost) return;
    isLost = true;
    onMessage?.(`${address}: the connection was lost; it is tried again`);
  });
  client.on("ready", () => {
    if (isLost) onMessage?.(`${address}: the connection is there again`);
    isLost = false;
  });
  const data = client.duplicate();
  data.on("error", () => {});
  // What one connection lost, the other has lost too, even if it has not seen it.
  client.on("close", () => isKnown && data.disconnect(true));
  const watches: ReturnType<typeof setInterval>[] = [];
  const close = () => {
    isKnown = false;
    for (const watch of watches) clearInterval(watch);
    client.disconnect();
    data.disconnect();
  };
  try {
    await client.connect();
    await checkServer(client, address);
    await data.connect();
  } catch (error) {
    close();
    throw error instanceof InputError ? error : connectionError(address, last ?? error);
  }
  isKnown = true;
  watches.push(
    watchConnection(client, MOST_UNANSWERED.client, betweenAsking),
    watchConnection(data, MOST_UNANSWERED.data, betweenAsking),
  );
  return { client, data, address, close };
}

/**
 * Ends the connection, so that it is made again, where the server does not answer: one whose cable was
 * pulled, or whose machine is gone, says nothing, and the system waits for it for a quarter of an hour.
 */
function watchConnection(
  client: Redis,
  mostUnanswered: number,
  betweenAsking: number,
): ReturnType<typeof setInterval> {
  let unanswered = 0;
  return setInterval(() => {
    if (client.status !== "ready") {
      unanswered = 0;
    } else if (unanswered >= mostUnanswered) {
      unanswered = 0;
      client.disconnect(true);
    } else if (unanswered++ === 0) {
      client.ping().then(() => unanswered = 0, () => {});
    }
  }, betweenAsking);
}

/** An error of a server as one that names it; other servers' words are not repeated. */
function connectionError(address: string, error: unknown): InputError {
  const { code, message } = error as { code?: string; message?: string };
  if (/NOAUTH|WRONGPASS|invalid password|without any password/.test(message ?? "")) {
    return new InputError(
      `${address}: refuses the password; give it as KANPRESS_REDIS_PASSWORD or in the address`,
    );
  }
  if (/NOPERM/.test(message ?? "")) {
    return new InputError(
      `${address}: the user may not do what is needed; see docs/distributed.md`,
    );
  }
  if (/CERT|certificate|ALTNAME/i.test(code ?? "")) {
    return new InputError(
      `${address}: its certificate is not trusted (${code}); name the file with the one that vouches ` +
        "for it in KANPRESS_REDIS_CA",
    );
  }
  const reason = code ?? hideCredentials(message ?? "no answer");
  return new InputError(
    `${address}: cannot be reached (${reason}); start redis-server there, or correct the address`,
  );
}

/** A server's refusal to write as an error that says what to do; other errors as they are. */
export function writeError(address: string, error: unknown): unknown {
  const message = error instanceof Error ? error.message : "";
  if (/^OOM /.test(message)) {
    return new InputError(
      `${address}: has no memory left; raise its maxmemory, or name a folder that all machines ` +
        "see, or an address, with --store",
    );
  }
  if (/^MISCONF /.test(message)) {
    return new InputError(
      `${address}: cannot save what it has, and takes no more; see whether its disk is full, or ` +
        'start it with --save ""',
    );
  }
  return error;
}

async function readCertificates(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw fileError(path, error);
  }
}

/** Refuses a server that is too old, or that would drop tasks where it is short of memory. */
async function checkServer(client: Redis, address: string): Promise<void> {
  const information = await client.info();
  const field = (name: string) => new RegExp(`^${name}:(.*)$`, "m").exec(information)?.[1]?.trim();
  const version = field("redis_version") ?? "";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < OLDEST_REDIS[0]! || (major === OLDEST_REDIS[0] && minor < OLDEST_REDIS[1]!)) {
    throw new InputError(
      `${address}: is Redis ${version}; at least ${OLDEST_REDIS.join(".")} is needed`,
    );
  }
  const policy = field("maxmemory_policy") ?? "noeviction";
  if (policy !== "noeviction") {
    throw new InputError(
      `${address}: may drop tasks, since its maxmemory-policy is ${policy}; run ` +
        "`redis-cli config set maxmemory-policy noeviction`",
    );
  }
}
