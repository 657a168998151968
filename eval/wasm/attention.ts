import type { AttentionDescription } from "../architectures/description.ts";
import { joinedSlot } from "../layers/joined_slot.ts";
import { headBytes } from "./cache_layout.ts";
import {
  forRows,
  multiplyPart,
  normalize,
  normalizeRows,
  partOf,
  type PassJob,
  type PassThread,
  rowAt,
} from "./pass_thread.ts";
import type { Rows } from "./workspace.ts";

/**
 * The attention of layer `index` to what goes into its last product; ends with a barrier. The keys and
 * values of the pass are added to the cache.
 */
export function attend(
  thread: PassThread,
  job: PassJob,
  attention: AttentionDescription,
  index: number,
  x: Rows,
): Rows {
  const { projection, allQueriesNorm, allKeysNorm } = attention;
  const { workspace: { projected, attended } } = thread;
  const rows = job.sequences * job.length;
  const linears = projection.kind === "joined"
    ? [projection.linear]
    : [projection.query, projection.key, projection.value];
  linears.forEach((linear, role) => multiplyPart(thread, linear, x, rows, projected[role]!));
  thread.barrier();
  [allQueriesNorm, allKeysNorm].forEach((norm, role) => {
    const place = projected[role]!;
    if (norm !== undefined) normalizeRows(thread, norm, rows, place, place);
  });
  forRows(thread, rows, (row) => placeRow(thread, job, attention, index, row));
  thread.barrier();
  attendHeads(thread, job, attention, index);
  thread.barrier();
  return attended;
}

/** Address of a head's query (role 0), key (1) or value (2) in what the projection gave. */
function headAt(
  { workspace: { projected } }: PassThread,
  attention: AttentionDescription,
  row: number,
  role: number,
  head: number,
): number {
  const bytes = 4 * attention.headSize;
  if (attention.projection.kind === "separate") return rowAt(projected[role]!, row) + bytes * head;
  return rowAt(projected[0], row) + bytes * joinedSlot(attention, role, head);
}

/** Normalizes, rotates and scales the heads of a row, and puts keys and values into the cache. */
function placeRow(
  thread: PassThread,
  job: PassJob,
  attention: AttentionDescription,
  index: number,
  row: number,
): void {
  const { kernels } = thread;
  const { heads, keyValueHeads, headSize, queryNorm, keyNorm, scale } = attention;
  const position = row % job.length;
  const turn = rotationOf(thread, index, position);
  for (let head = 0; head < heads; head++) {
    const at = headAt(thread, attention, row, 0, head);
    if (queryNorm !== undefined) normalize(thread, queryNorm, at, at);
    turn(at);
    kernels.scale(at, headSize, scale);
  }
  for (let head = 0; head < keyValueHeads; head++) {
    const key = headAt(thread, attention, row, 1, head);
    if (keyNorm !== undefined) normalize(thread, keyNorm, key, key);
    turn(key);
    const sequence = Math.floor(row / job.length);
    const place = cachedAt(job, attention, index, sequence, head);
    const offset = (job.start + position) * headBytes(headSize);
    kernels.copy(key, place.keys + offset, headSize);
    const value = headAt(thread, attention, row, 2, head);
    kernels.copy(value, place.values + offset, headSize);
  }
}

/** What rotates a head of layer `index` by a position of the pass. */
function rotationOf(
  { kernels, workspace: { rotations, rotationOfLayer } }: PassThread,
  index: number,
  position: number,
): (at: number) => void {
  const rotation = rotations[rotationOfLayer[index]!];
  if (rotation === undefined) return () => {};
  const half = rotation.rotary.dimensions / 2;
  const cosines = rowAt(rotation.tables, position);
  return (at) => kernels.rotate(at, cosines, cosines + 4 * half, half);
}

/** Where the keys and values of a head begin. */
function cachedAt(
  { cache, cacheAt }: PassJob,
  { keyValueHeads, headSize }: AttentionDescription,
  index: number,
  sequence: number,
  head: number,
): { keys: number; values: number } {
  const { keys, values } = cache.layers[index]!;
  const offset = cacheAt +
    (sequence * keyValueHeads + head) * cache.capacity * headBytes(headSize);
  return { keys: offset + keys, values: offset + values };
}

/** A thread's part of the heads of all rows. */
function attendHeads(
  thread: PassThread,
  job: PassJob,
  attention: AttentionDescription,
  index: number,
): void {
  const { kernels, scratch, workspace: { attended } } = thread;
  const { heads, keyValueHeads, headSize, slidingWindow = Infinity, softCap = 0 } = attention;
  const group = heads / keyValueHeads;
  const stride = headBytes(headSize);
  const [start, end] = partOf(thread, job.sequences * job.length * heads);
  for (let unit = start; unit < end; unit++) {
    const head = unit % heads, row = (unit - head) / heads;
    const position = job.start + row % job.length;
    const sequence = Math.floor(row / job.length);
    const place = cachedAt(job, attention, index, sequence, Math.floor(head / group));
    kernels.attend(
      headAt(thread, attention, row, 0, head),
      place.keys,
      place.values,
      stride,
      Math.max(0, position + 1 - slidingWindow),
      position + 1,
      headSize,
      softCap,
      scratch.scores,
      rowAt(attended, row) + 4 * headSize * head,
    );
  }
}
