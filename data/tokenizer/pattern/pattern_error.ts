/** What a regular expression has that is not supported, or why it is none. */
export class PatternError extends Error {
  /** Always `"PatternError"`. */
  override readonly name = "PatternError";
}
