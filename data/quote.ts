const longest = 120;

/**
 * A name from a file (a tensor, a key) as it may stand in a one-line message: quoted, control
 * characters escaped, and shortened.
 */
export function quote(name: string): string {
  return JSON.stringify(name.length > longest ? `${name.slice(0, longest)}…` : name);
}
