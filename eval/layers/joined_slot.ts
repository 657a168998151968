import type { AttentionDescription } from "../architectures/description.ts";

/**
 * Where a head's query (role 0), key (1) or value (2) stands among a token's heads in what a joined
 * projection gives.
 */
export function joinedSlot(
  { projection, heads, keyValueHeads }: AttentionDescription,
  role: number,
  head: number,
): number {
  if (projection.kind === "joined" && projection.order === "byHead") {
    const group = heads / keyValueHeads;
    const [shared, member] = role === 0
      ? [Math.floor(head / group), head % group]
      : [head, group + role - 1];
    return shared * (group + 2) + member;
  }
  return [0, heads, heads + keyValueHeads][role]! + head;
}
