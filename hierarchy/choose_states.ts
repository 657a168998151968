/** How much time compression may take. */
export const EFFORTS = ["fast", "normal", "best"] as const;
/** How much time compression may take: see {@linkcode chooseStates}. */
export type Effort = typeof EFFORTS[number];

/** States of the smallest models for which an effort takes fewer than the most. */
const LIMITS: Readonly<Record<Effort, readonly (readonly [values: number, states: number])[]>> = {
  fast: [[Infinity, 8]],
  normal: [[1 << 28, 256], [Infinity, 64]],
  best: [[Infinity, 256]],
};

/** Trellis states: those that the options name, else by effort and the number of coded values. */
export function chooseStates(
  { states, effort }: { readonly effort: Effort; readonly states?: number },
  values: number,
): number {
  return states ?? LIMITS[effort].find(([limit]) => values <= limit)![1];
}
