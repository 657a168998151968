import type { FindMatches } from "./text_pattern.ts";

/** A piece of a text on its way to the model. */
export interface Piece {
  readonly text: string;
  /** Whether it begins the whole text that is tokenized. */
  readonly first: boolean;
}

/** What becomes of the places where a text is split. */
export const splitBehaviors = [
  "Removed",
  "Isolated",
  "MergedWithPrevious",
  "MergedWithNext",
  "Contiguous",
] as const;

/** One of {@linkcode splitBehaviors}. */
export type SplitBehavior = typeof splitBehaviors[number];

interface Span {
  readonly start: number;
  readonly end: number;
  readonly isMatch: boolean;
}

/** Splits a piece at what `find` finds, or at the rest where `inverted`. */
export function* splitPiece(
  { text, first }: Piece,
  find: FindMatches,
  behavior: SplitBehavior,
  inverted = false,
): Generator<Piece> {
  for (const { start, end } of joinSpans(spans(text, find, inverted), behavior)) {
    if (start === end) continue;
    const whole = start === 0 && end === text.length;
    yield { text: whole ? text : text.slice(start, end), first: first && start === 0 };
  }
}

/** The matches and what is between them. */
function* spans(text: string, find: FindMatches, inverted: boolean): Generator<Span> {
  let from = 0;
  for (const { start, end } of find(text)) {
    if (start > from) yield { start: from, end: start, isMatch: inverted };
    yield { start, end, isMatch: !inverted };
    from = end;
  }
  if (from < text.length) yield { start: from, end: text.length, isMatch: inverted };
}

function* joinSpans(spans: Iterable<Span>, behavior: SplitBehavior): Iterable<Span> {
  if (behavior === "Isolated") return yield* spans;
  let last: Span | undefined;
  for (const span of spans) {
    if (behavior === "Removed") {
      if (!span.isMatch) yield span;
    } else if (last === undefined) {
      last = span;
    } else if (joins(last, span, behavior)) {
      last = { start: last.start, end: span.end, isMatch: span.isMatch };
    } else {
      yield last;
      last = span;
    }
  }
  if (last !== undefined) yield last;
}

/** Whether a span is added to the one before it. */
function joins(last: Span, span: Span, behavior: SplitBehavior): boolean {
  switch (behavior) {
    case "Contiguous":
      return last.isMatch === span.isMatch;
    case "MergedWithPrevious":
      return span.isMatch && !last.isMatch;
    default:
      return last.isMatch && !span.isMatch;
  }
}
