import { PatternError } from "./pattern_error.ts";

/** A set of code points that remembers what it was asked, since asking a RegExp is slow. */
export class CharacterSet {
  /** 0 where nobody has asked, 1 for a member, 2 for another; the Basic Multilingual Plane. */
  readonly #known = new Uint8Array(0x10000);
  readonly #others = new Map<number, boolean>();
  readonly #members: RegExp;

  /**
   * `source` is the inside of a class of a RegExp with the flag `v`; throws a
   * {@linkcode PatternError} where it is none.
   */
  constructor(source: string, ignoreCase: boolean = false) {
    try {
      this.#members = new RegExp(`^[${source}]$`, ignoreCase ? "iv" : "v");
    } catch (error) {
      throw new PatternError("it has a class that JavaScript cannot write", { cause: error });
    }
  }

  /** Whether the code point is a member. */
  has(codePoint: number): boolean {
    if (codePoint > 0xffff) return this.#hasOther(codePoint);
    const known = this.#known[codePoint];
    if (known !== 0) return known === 1;
    const member = this.#members.test(String.fromCodePoint(codePoint));
    this.#known[codePoint] = member ? 1 : 2;
    return member;
  }

  #hasOther(codePoint: number): boolean {
    let member = this.#others.get(codePoint);
    if (member === undefined) {
      member = this.#members.test(String.fromCodePoint(codePoint));
      this.#others.set(codePoint, member);
    }
    return member;
  }
}
