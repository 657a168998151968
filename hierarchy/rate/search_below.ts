/** Something made at a coordinate, with the quantity that is to meet a target. */
export interface Trial<T> {
  /** The quantity, such as the bytes of a file. */
  readonly value: number;
  /** What was made. */
  readonly made: T;
}

/** What {@linkcode searchBelow} looks for, and where. */
export interface SearchOptions<T> {
  /** Coordinate of the first trial. */
  readonly first: number;
  /** Coordinates that are tried at all, the lowest and the highest. */
  readonly range: readonly [lowest: number, highest: number];
  /** What the quantity must not exceed. */
  readonly most: number;
  /** Ends the search: a quantity from here to `most` is near enough. */
  readonly least: number;
  /** Expected growth of the quantity with the coordinate; positive. */
  readonly slope: number;
  /** Coordinates as near as this make no difference any more. */
  readonly resolution: number;
  /** Whether the first of two trials that meet the target is better; if omitted, the larger is. */
  readonly prefers?: (trial: Trial<T>, other: Trial<T>) => boolean;
}

/** What {@linkcode searchBelow} found. */
export interface SearchResult<T> {
  /** The best trial of those up to `most`; undefined where none is, the lowest end among them. */
  readonly best?: Trial<T>;
  /** The trial of the smallest quantity. */
  readonly smallest: Trial<T>;
}

/** Trials that a search makes at most. */
const MOST_TRIALS = 20;
/** So many trials on one side of the target, and the next go in strides that double. */
const MOST_SHORT = 4;
/** Trials near the best one after halving has come to its end. */
const MOST_NEAR = 6;

interface Point {
  readonly at: number;
  readonly value: number;
}

/**
 * Finds where a quantity that grows with a coordinate comes as near to `most` as `least` says, and
 * not above it. Goes by secants, so that a good `slope` and a coordinate in which the quantity is
 * nearly a line take two or three trials; a secant that leaves what is known to be between two
 * trials is replaced by halving that. Small models' quantities grow with jumps up and down, and every
 * quantity is flat somewhere: where halving finds none that is near enough, a few more are tried
 * beside the best, and no target is given up before the lowest end was tried. `run` may ask whether a
 * trial is the best so far: what other trials have made is not needed.
 */
export async function searchBelow<T>(
  run: (coordinate: number, isBest: (trial: Trial<T>) => boolean) => Promise<Trial<T>>,
  options: SearchOptions<T>,
): Promise<SearchResult<T>> {
  const { first, range, most, least, slope, resolution } = options;
  const { prefers = (trial, other) => trial.value > other.value } = options;
  const aim = (most + least) / 2;
  let below: Point | undefined, above: Point | undefined, previous: Point | undefined;
  let best: Trial<T> | undefined, bestAt = NaN, smallest: Trial<T> | undefined;
  let at = clamp(first, range), near = 0, oneSided = 0, stride = 0;
  const isBest = (trial: Trial<T>) =>
    trial.value <= most && (best === undefined || prefers(trial, best));
  for (let trial = 0; trial < MOST_TRIALS; trial++) {
    const done = await run(at, isBest);
    const point = { at, value: done.value };
    if (smallest === undefined || done.value < smallest.value) smallest = done;
    if (done.value <= most) {
      if (isBest(done)) [best, bestAt] = [done, at];
      if (below === undefined || at > below.at) below = point;
      if (done.value >= least || at >= range[1]) break;
    } else {
      if (above === undefined || at < above.at) above = point;
      if (at <= range[0]) break;
    }
    if (below !== undefined && above !== undefined && above.at - below.at <= resolution) {
      if (++near > MOST_NEAR) break;
      at = clamp(bestAt + near / MOST_NEAR * (aim - best!.value) / slope, range);
      continue;
    }
    let move = (aim - done.value) / secantSlope(previous, point, slope);
    if (below !== undefined && above !== undefined) oneSided = 0;
    else if (++oneSided >= MOST_SHORT) {
      move = Math.sign(move) * Math.max(Math.abs(move), 2 * stride);
    }
    const next = nextBetween(at + move, below?.at, above?.at, range);
    stride = Math.abs(next - at);
    previous = point;
    at = next;
  }
  if (best !== undefined) return { best, smallest: smallest! };
  const lowest = above?.at === range[0] ? smallest! : await run(range[0], isBest);
  if (lowest.value <= most) return { best: lowest, smallest: lowest };
  return { smallest: lowest.value < smallest!.value ? lowest : smallest! };
}

/** Between the trials around the target, or their middle; an end of the range where one lacks. */
function nextBetween(
  at: number,
  below: number | undefined,
  above: number | undefined,
  [lowest, highest]: readonly [number, number],
): number {
  if (below === undefined && at <= lowest) return lowest;
  if (above === undefined && at >= highest) return highest;
  const low = below ?? lowest, high = above ?? highest;
  return at > low && at < high ? at : (low + high) / 2;
}

function clamp(value: number, [low, high]: readonly [number, number]): number {
  return Math.min(Math.max(value, low), high);
}

/** As measured between two trials where that makes sense, else as expected. */
export function secantSlope(a: Point | undefined, b: Point, expected: number): number {
  if (a === undefined || a.at === b.at) return expected;
  const measured = (b.value - a.value) / (b.at - a.at);
  return measured > expected / 8 && measured < expected * 8 ? measured : expected;
}
