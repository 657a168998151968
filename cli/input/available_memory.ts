import process from "node:process";

/**
 * Bytes of memory that this process can have without others losing theirs: what is free, or the rest
 * of a container's limit. Undefined where the system does not tell, or may not be asked.
 */
export function availableMemory(): number | undefined {
  try {
    const free = process.availableMemory?.();
    const limit = process.constrainedMemory?.() ?? 0;
    if (free === undefined || !(free > 0)) return undefined;
    return limit > 0 ? Math.min(free, limit) : free;
  } catch {
    return undefined;
  }
}
