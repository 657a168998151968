/** Share by which sizes may differ and still count as equal: targets are met as closely as this. */
const SAME_SIZE = 0.003;

/**
 * The numbers of the points that no other point beats in both coordinates (lower is better in
 * both), by rising `x`. An `x` that is smaller by less than 0.3 % does not save a point with a larger
 * `y`. Points with a coordinate that is not finite are never among them.
 *
 * ```ts
 * import { paretoFront } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * assert.deepEqual(paretoFront([{ x: 2, y: 1 }, { x: 1, y: 3 }, { x: 3, y: 2 }]), [1, 0]);
 * ```
 */
export function paretoFront(
  points: readonly { readonly x: number; readonly y: number }[],
): number[] {
  const order = Array.from(points.keys())
    .filter((i) => Number.isFinite(points[i]!.x) && Number.isFinite(points[i]!.y))
    .sort((a, b) => points[a]!.x - points[b]!.x || points[a]!.y - points[b]!.y);
  const front: number[] = [];
  let best = Infinity;
  for (const i of order) {
    if (points[i]!.y >= best) continue;
    best = points[i]!.y;
    while (front.length > 0 && isSameSize(points[front.at(-1)!]!.x, points[i]!.x)) front.pop();
    front.push(i);
  }
  return front;
}

function isSameSize(smaller: number, larger: number): boolean {
  return larger - smaller <= SAME_SIZE * Math.abs(larger);
}
