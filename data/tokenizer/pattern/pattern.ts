import { compilePattern, type Program } from "./compile_pattern.ts";
import { parsePattern } from "./parse_pattern.ts";
import { PatternError } from "./pattern_error.ts";

/** Where a pattern matches, in UTF-16 units. */
export interface Match {
  readonly start: number;
  readonly end: number;
}

/**
 * Steps for each unit of a text, beside one for each instruction, and for any text. Patterns of real
 * tokenizers take some dozens a unit; those that grow without bound end here.
 */
const STEPS_PER_UNIT = 200;
const STEPS_FOR_ANY_TEXT = 2000;

/**
 * A regular expression of a tokenizer, as Oniguruma reads it, which the Rust library uses: other
 * than JavaScript's in what is white space, a word or a digit, in possessive repetitions and nested
 * classes. Matching a text takes a number of steps that is bounded by the text's length.
 *
 * ```ts
 * import { Pattern } from "./pattern.ts";
 * import assert from "node:assert";
 *
 * const pattern = new Pattern("\\p{L}++|\\s");
 * assert.deepEqual([...pattern.matches("ab c")], [
 *   { start: 0, end: 2 },
 *   { start: 2, end: 3 },
 *   { start: 3, end: 4 },
 * ]);
 * ```
 */
export class Pattern {
  readonly #program: Program;

  /** Throws a {@linkcode PatternError} for what is not supported. */
  constructor(source: string) {
    this.#program = compilePattern(parsePattern(source));
  }

  /**
   * All matches that do not overlap, from left to right. Throws a {@linkcode PatternError} if
   * the text takes too many steps.
   */
  *matches(text: string): Generator<Match> {
    const matcher = new Matcher(this.#program, text);
    let lastEnd = -1;
    for (let start = 0; start <= text.length;) {
      const end = matcher.matchAt(start);
      // As in Oniguruma's own loop, an empty match right behind another one does not count.
      if (end < 0 || end === start && end === lastEnd) {
        start += unitsAt(text, start);
        continue;
      }
      yield { start, end };
      lastEnd = end;
      start = end > start ? end : start + unitsAt(text, start);
    }
  }
}

/** UTF-16 units of the code point at `at`, and 1 at the end of the text. */
function unitsAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

/** Matches one text by trying alternatives in their order and going back to the last choice. */
class Matcher {
  readonly #program: Program;
  readonly #text: string;
  #stepsLeft: number;
  /** Choices to go back to: instruction, position, and the first position of a run or -1. */
  #choices = new Int32Array(96);
  #size = 0;

  constructor(program: Program, text: string) {
    this.#program = program;
    this.#text = text;
    const perUnit = STEPS_PER_UNIT + program.instructions.length;
    this.#stepsLeft = STEPS_FOR_ANY_TEXT + perUnit * (1 + text.length);
  }

  /** Where the match ends that begins at `start`; -1 if there is none. */
  matchAt(start: number): number {
    this.#size = 0;
    return this.#run(0, start);
  }

  #run(first: number, start: number): number {
    const { instructions } = this.#program;
    const bottom = this.#size;
    let index = first;
    let at = start;
    while (true) {
      if (--this.#stepsLeft < 0) throw new PatternError("it takes too long on this text");
      const instruction = instructions[index]!;
      let matched = true;
      switch (instruction.kind) {
        case "accept":
          this.#size = bottom;
          return at;
        case "set": {
          const codePoint = this.#text.codePointAt(at);
          matched = codePoint !== undefined && instruction.set.has(codePoint);
          if (matched) at += codePoint! > 0xffff ? 2 : 1;
          index += 1;
          break;
        }
        case "run": {
          const { set, least, most, mode } = instruction;
          let count = 0;
          let enough = least === 0 ? at : -1;
          let codePoint: number | undefined;
          while (count < most && (codePoint = this.#text.codePointAt(at)) !== undefined) {
            if (!set.has(codePoint)) break;
            at += codePoint > 0xffff ? 2 : 1;
            if (++count === least) enough = at;
          }
          this.#stepsLeft -= count;
          matched = enough >= 0;
          index += 1;
          if (matched && mode === "greedy" && at > enough) this.#push(index, at, enough);
          break;
        }
        case "split":
          this.#push(instruction.second, at, -1);
          index = instruction.first;
          break;
        case "jump":
          index = instruction.to;
          break;
        case "place":
          matched = this.#isAt(instruction.place, at);
          index += 1;
          break;
        case "atomic": {
          const end = this.#run(instruction.body, at);
          matched = end >= 0;
          if (matched) at = end;
          index = instruction.next;
          break;
        }
        case "look": {
          const from = this.#stepBack(at, instruction.back);
          const found = from >= 0 && this.#run(instruction.body, from) >= 0;
          matched = found !== instruction.negative;
          index = instruction.next;
        }
      }
      if (matched) continue;
      if (this.#size === bottom) return -1;
      // The last choice: a run gives one more code point back, if it can, and stays a choice.
      const top = this.#size - 3;
      index = this.#choices[top]!;
      at = this.#choices[top + 1]!;
      const enough = this.#choices[top + 2]!;
      if (enough >= 0) {
        at = this.#stepBack(at, 1);
        this.#choices[top + 1] = at;
      }
      if (enough < 0 || at === enough) this.#size = top;
    }
  }

  #push(index: number, at: number, enough: number): void {
    if (this.#size + 3 > this.#choices.length) {
      const larger = new Int32Array(2 * this.#choices.length);
      larger.set(this.#choices);
      this.#choices = larger;
    }
    this.#choices[this.#size] = index;
    this.#choices[this.#size + 1] = at;
    this.#choices[this.#size + 2] = enough;
    this.#size += 3;
  }

  /** The position `count` code points before `at`; -1 where there are fewer. */
  #stepBack(at: number, count: number): number {
    for (let i = 0; i < count; i++) {
      if (at <= 0) return -1;
      const pair = at > 1 && (this.#text.codePointAt(at - 2) ?? 0) > 0xffff;
      at -= pair ? 2 : 1;
    }
    return at;
  }

  #isAt(place: string, at: number): boolean {
    const { length } = this.#text;
    switch (place) {
      case "start":
        return at === 0;
      case "end":
        return at === length;
      case "lineStart":
        return at === 0 || this.#text[at - 1] === "\n" && at < length;
      case "lineEnd":
        return at === length || this.#text[at] === "\n";
      case "lastLine":
        return at === length || at === length - 1 && this.#text[at] === "\n";
      default:
        return (this.#isWord(this.#stepBack(at, 1)) !== this.#isWord(at)) === (place === "word");
    }
  }

  #isWord(at: number): boolean {
    const codePoint = this.#text.codePointAt(at);
    return codePoint !== undefined && this.#program.word.has(codePoint);
  }
}
