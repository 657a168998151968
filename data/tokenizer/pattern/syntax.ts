/** A part of a pattern that matches one code point: the inside of a class with the flag `v`. */
export interface SetNode {
  readonly kind: "set";
  readonly source: string;
  readonly ignoreCase: boolean;
}

/** A place in the text, of no width. */
export interface PlaceNode {
  readonly kind: "place";
  readonly place: "lineStart" | "lineEnd" | "start" | "end" | "lastLine" | "word" | "notWord";
}

/** A pattern, parsed. */
export type PatternNode =
  | SetNode
  | PlaceNode
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly options: readonly PatternNode[] }
  | { readonly kind: "repeat"; readonly body: PatternNode } & Repetition
  | { readonly kind: "atomic"; readonly body: PatternNode }
  | {
    readonly kind: "look";
    readonly body: PatternNode;
    readonly behind: boolean;
    readonly negative: boolean;
  };

/** How often something comes, and which number is tried first. */
export interface Repetition {
  readonly least: number;
  readonly most: number;
  readonly mode: "greedy" | "lazy" | "possessive";
}

/** Least and greatest number of code points that a node matches. */
export function widths(node: PatternNode): readonly [least: number, most: number] {
  switch (node.kind) {
    case "set":
      return [1, 1];
    case "place":
    case "look":
      return [0, 0];
    case "atomic":
      return widths(node.body);
    case "repeat": {
      const [least, most] = widths(node.body);
      return [least * node.least, most === 0 ? 0 : most * node.most];
    }
    case "sequence":
      return node.parts.map(widths).reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
    case "choice": {
      const all = node.options.map(widths);
      return all.reduce(([a, b], [c, d]) => [Math.min(a, c), Math.max(b, d)]);
    }
  }
}
