import { InputError } from "./input_error.ts";
import { shownUrl } from "./shown_url.ts";
import { SLOWEST, Watchdog } from "./watchdog.ts";

/** How requests are made, and repeated where they fail. */
export interface RequestOptions {
  /** Headers to send. A redirect to another server does not get `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Stops the requests. */
  readonly signal?: AbortSignal;
  /** How often a request is tried at most while no byte arrives; 5 by default. */
  readonly attempts?: number;
  /** Milliseconds before the second try, doubled before each further one; 500 by default. */
  readonly firstDelay?: number;
  /**
   * A connection counts as dropped where it brings less than 1 KiB per second over this many
   * milliseconds; 20,000 by default.
   */
  readonly stallTimeout?: number;
}

const passingStatuses = new Set([408, 425, 429, 500, 502, 503, 504]);
const longestDelay = 30_000;
const longestRetryAfter = 120_000;
const usualStallTimeout = 20_000;

/** Most bytes of an answer that is read whole. */
const largestWhole = 2 ** 26;

/** An answer is longer than what is read whole. */
export class LongAnswerError extends InputError {}

/** The last try failed too: there is no network, or the server is down or overloaded. */
export class UnreachableError extends InputError {
  /** What went wrong and what to do, without the address. */
  readonly reason: string;

  /** `place` is what cannot be reached, such as a URL. */
  constructor(place: string, reason: string, cause: unknown) {
    super(`${place} ${reason}`, { cause });
    this.reason = reason;
  }
}

/** A failure that may pass: the network's, or the server's for the moment. */
class PassingFailure extends Error {
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter: number;

  constructor(message: string, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(message, options);
    this.retryAfter = options.retryAfter ?? 0;
  }
}

/**
 * Fetches a URL with its body, again after a growing delay where the network fails, the connection
 * is dropped or stalls, or the server is overloaded (429, 5xx; its Retry-After is respected).
 * Resolves with any other answer, its body read. Throws an {@linkcode UnreachableError} when the
 * last try fails, a {@linkcode LongAnswerError} where the body is longer than 64 MiB, and the
 * signal's reason on an abort. A body that `leaves` says is not wanted is not read, and the answer has none.
 */
export async function fetchWhole(
  url: string,
  options: RequestOptions = {},
  init: RequestInit = {},
  leaves: (response: Response) => boolean = () => false,
): Promise<Response> {
  for (let failures = 1;; failures++) {
    const watchdog = new Watchdog(options.stallTimeout ?? usualStallTimeout, options.signal);
    try {
      const response = await fetchOnce(url, options, { ...init, signal: watchdog.signal });
      if (leaves(response)) {
        await response.body?.cancel();
        const { status, headers } = response;
        return new Response(null, { status, headers });
      }
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      let size = 0;
      for await (const chunk of chunksOf(response)) {
        watchdog.touch(chunk.length);
        chunks.push(chunk);
        size += chunk.length;
        if (size > largestWhole) {
          throw new LongAnswerError(`${shownUrl(url)}: the answer is longer than 64 MiB`);
        }
      }
      const { status, headers } = response;
      return new Response(size === 0 ? null : new Blob(chunks), { status, headers });
    } catch (error) {
      await waitOrGiveUp(url, error, failures, options);
    } finally {
      watchdog.stop();
    }
  }
}

/**
 * Streams the bytes from `start` up to `end` of a URL whose file has `total` bytes. A connection
 * that is dropped, stalls or ends early is taken up again where it broke off, as in
 * {@linkcode fetchWhole}; one that brings too little each time is given up. Throws an
 * {@linkcode InputError} where the file is no longer the same (by its size, and by its entity tag
 * `etag` where that is known) or cannot be had.
 */
export async function* streamRange(
  url: string,
  start: number,
  end: number,
  total: number,
  options: RequestOptions = {},
  etag?: string,
): AsyncGenerator<Uint8Array> {
  let at = start;
  let failures = 0;
  let mark = { at: start, time: performance.now() };
  while (at < end) {
    const before = at;
    try {
      for await (const chunk of streamOnce(url, at, end, total, options, etag)) {
        at += chunk.length;
        yield chunk;
      }
      if (at < end) {
        throw new PassingFailure(`it sent ${at - before} of ${end - before} bytes`);
      }
    } catch (error) {
      const now = performance.now();
      // However often it is dropped, what brings enough is resumed.
      if (at - mark.at > SLOWEST * Math.max(1, (now - mark.time) / 1000)) {
        failures = 0;
        mark = { at, time: now };
      }
      failures++;
      await waitOrGiveUp(url, error, failures, options);
    }
  }
}

/** The size of the file that a partial answer is of; undefined if it does not say. */
export function totalSize(response: Response): number | undefined {
  const total = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  return total === undefined ? undefined : Number(total);
}

/**
 * Bytes of an answer's body, before it is read; undefined if it does not say, or is sent in another
 * encoding.
 */
export function bodySize({ headers }: Response): number | undefined {
  const size = Number(headers.get("content-length") ?? NaN);
  const encoding = headers.get("content-encoding") ?? "identity";
  return encoding === "identity" && Number.isSafeInteger(size) && size > 0 ? size : undefined;
}

/** The entity tag of an answer that stands for the same bytes; undefined if it has none. */
export function strongTag(response: Response): string | undefined {
  const tag = response.headers.get("etag");
  return tag === null || tag.startsWith("W/") ? undefined : tag;
}

/** The error for an answer that will not change by asking again. */
export async function refusal(url: string, response: Response): Promise<InputError> {
  await response.body?.cancel();
  return new InputError(
    `${shownUrl(url)}: the server answers ${response.status}; check the address`,
  );
}

async function fetchOnce(
  url: string,
  options: RequestOptions,
  init: RequestInit,
): Promise<Response> {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
  let response: Response;
  try {
    response = await fetch(url, { ...init, headers });
  } catch (error) {
    throw new PassingFailure(reasonOf(error), { cause: error });
  }
  if (!passingStatuses.has(response.status)) return response;
  await response.body?.cancel();
  const seconds = Number(response.headers.get("retry-after") ?? 0);
  throw new PassingFailure(
    `the server answers ${response.status}`,
    { retryAfter: Number.isFinite(seconds) ? 1000 * seconds : 0 },
  );
}

async function* streamOnce(
  url: string,
  start: number,
  end: number,
  total: number,
  options: RequestOptions,
  etag: string | undefined,
): AsyncGenerator<Uint8Array> {
  const watchdog = new Watchdog(options.stallTimeout ?? usualStallTimeout, options.signal);
  try {
    const range = `bytes=${start}-${end - 1}`;
    const init = { headers: { range }, signal: watchdog.signal };
    const response = await fetchOnce(url, options, init);
    let skip = await bytesToSkip(url, response, start, total, etag);
    let wanted = end - start;
    for await (const chunk of chunksOf(response)) {
      watchdog.touch(chunk.length);
      const part = chunk.subarray(skip, skip + wanted);
      skip -= Math.min(skip, chunk.length);
      wanted -= part.length;
      if (part.length > 0) yield part;
      if (wanted === 0) return;
    }
  } finally {
    watchdog.stop();
  }
}

/** How many bytes of the body come before `start`: a server may answer with the whole file. */
async function bytesToSkip(
  url: string,
  response: Response,
  start: number,
  total: number,
  etag: string | undefined,
): Promise<number> {
  const sameTag = etag === undefined || (strongTag(response) ?? etag) === etag;
  if (response.status === 200 && sameTag) return start;
  const from = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  const same = sameTag && totalSize(response) === total && Number(from) === start;
  if (response.status === 206 && same) return 0;
  if (![200, 206, 416].includes(response.status)) throw await refusal(url, response);
  await response.body?.cancel();
  throw new InputError(
    `${shownUrl(url)}: changed on the server while it was being read; start again`,
  );
}

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  try {
    for await (const chunk of response.body ?? []) yield chunk;
  } catch (error) {
    throw new PassingFailure(reasonOf(error), { cause: error });
  }
}

async function waitOrGiveUp(
  url: string,
  error: unknown,
  failures: number,
  options: RequestOptions,
): Promise<void> {
  options.signal?.throwIfAborted();
  if (!(error instanceof PassingFailure)) throw error;
  const delay = Math.min(longestDelay, (options.firstDelay ?? 500) * 2 ** (failures - 1));
  if (failures >= (options.attempts ?? 5) || error.retryAfter > longestRetryAfter) {
    const advice = error.retryAfter > 0
      ? `try again in ${error.retryAfter / 1000} s`
      : "check the address and the network, and try again";
    throw new UnreachableError(
      shownUrl(url),
      `cannot be reached (${error.message}); ${advice}`,
      error,
    );
  }
  await sleep(Math.max(delay, error.retryAfter), options.signal);
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  // Deno repeats the address, which the message has already.
  return (error.message + cause).replace(/error sending request for url \(.*?\): /, "")
    .replaceAll(/\s+/g, " ");
}
