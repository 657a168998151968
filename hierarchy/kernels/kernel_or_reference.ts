/**
 * A function that gives the kernel that `create` makes when it is first called or, where the platform
 * has none, the reference of the same results.
 */
export function kernelOrReference<Operations>(
  create: () => Operations | undefined,
  reference: Operations,
): () => Operations {
  let chosen: Operations | undefined;
  return () => chosen ??= create() ?? reference;
}
