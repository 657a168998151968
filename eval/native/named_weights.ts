/** A description whose tensors are called by their places in it, and what they are really called. */
export interface NamedWeights<Part> {
  /** The description with places, such as `attention.output.weight`, in the place of names. */
  readonly part: Part;
  /** The names of the tensors by place. */
  readonly names: ReadonlyMap<string, string>;
}

/**
 * Calls the tensors of a part of a model by their places, so that parts of equal shapes have equal
 * descriptions, and one graph runs them all.
 */
export function nameByPlace<Part extends object>(part: Part): NamedWeights<Part> {
  const names = new Map<string, string>();
  const walk = (value: unknown, place: string): unknown => {
    if (Array.isArray(value) || typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => {
        const at = place === "" ? key : `${place}.${key}`;
        if ((key === "weight" || key === "bias") && typeof member === "string") {
          names.set(at, member);
          return [key, at];
        }
        return [key, walk(member, at)];
      }),
    );
  };
  return { part: walk(part, "") as Part, names };
}
