import { CharacterSet } from "./character_set.ts";
import { WORD } from "./parse_class.ts";
import { PatternError } from "./pattern_error.ts";
import { type PatternNode, type PlaceNode, type Repetition, widths } from "./syntax.ts";

/** What a matcher does at one step; `next` and the like are indices of instructions. */
export type Instruction =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "run"; readonly set: CharacterSet } & Repetition
  | { readonly kind: "place"; readonly place: PlaceNode["place"] }
  | { readonly kind: "split"; first: number; second: number }
  | { readonly kind: "jump"; to: number }
  | { readonly kind: "atomic"; readonly body: number; next: number }
  | {
    readonly kind: "look";
    readonly body: number;
    /** Code points before this place where the body begins. */
    readonly back: number;
    readonly negative: boolean;
    next: number;
  }
  | { readonly kind: "accept" };

/** A compiled pattern. */
export interface Program {
  readonly instructions: readonly Instruction[];
  /** The set of word characters, for `\b`. */
  readonly word: CharacterSet;
}

/** Counted repetitions are written out; a pattern may not become longer than this. */
const MOST_INSTRUCTIONS = 2000;

/** Compiles a parsed pattern; throws a {@linkcode PatternError} if it is too large. */
export function compilePattern(pattern: PatternNode): Program {
  const instructions: Instruction[] = [];
  const sets = new Map<string, CharacterSet>();

  function set(source: string, ignoreCase: boolean): CharacterSet {
    const key = `${ignoreCase}${source}`;
    const made = sets.get(key) ?? new CharacterSet(source, ignoreCase);
    sets.set(key, made);
    return made;
  }

  function add<T extends Instruction>(instruction: T): T {
    if (instructions.length >= MOST_INSTRUCTIONS) throw new PatternError("it is too large");
    instructions.push(instruction);
    return instruction;
  }

  const here = () => instructions.length;

  function compile(node: PatternNode): void {
    switch (node.kind) {
      case "set":
        add({ kind: "set", set: set(node.source, node.ignoreCase) });
        return;
      case "place":
        add({ kind: "place", place: node.place });
        return;
      case "sequence":
        node.parts.forEach(compile);
        return;
      case "choice":
        compileChoice(node.options);
        return;
      case "repeat":
        compileRepeat(node);
        return;
      case "atomic":
        compileAtomic(node.body);
        return;
      case "look":
        if (node.behind && node.body.kind === "choice") {
          compileLookBehindChoice(node.body.options, node.negative);
        } else {
          compileLook(node.body, node.behind ? fixedWidth(node.body) : 0, node.negative);
        }
    }
  }

  function compileChoice(options: readonly PatternNode[]): void {
    const ends: { to: number }[] = [];
    options.forEach((option, index) => {
      if (index === options.length - 1) return compile(option);
      const split = add({ kind: "split", first: here() + 1, second: 0 });
      compile(option);
      ends.push(add({ kind: "jump", to: 0 }));
      split.second = here();
    });
    for (const end of ends) end.to = here();
  }

  function compileRepeat({ body, least, most, mode }: PatternNode & { kind: "repeat" }): void {
    if (body.kind === "set" && mode !== "lazy") {
      add({ kind: "run", set: set(body.source, body.ignoreCase), least, most, mode });
      return;
    }
    if (mode === "possessive") {
      compileAtomic({ kind: "repeat", body, least, most, mode: "greedy" });
      return;
    }
    for (let i = 0; i < least; i++) compile(body);
    const split = () => {
      const at = here() + 1;
      return add({ kind: "split", first: at, second: at });
    };
    const leave = (instruction: { first: number; second: number }, to: number) => {
      if (mode === "greedy") instruction.second = to;
      else instruction.first = to;
    };
    if (most === Infinity) {
      const start = here();
      const loop = split();
      compile(body);
      add({ kind: "jump", to: start });
      leave(loop, here());
      return;
    }
    const splits: { first: number; second: number }[] = [];
    for (let i = least; i < most; i++) {
      splits.push(split());
      compile(body);
    }
    for (const instruction of splits) leave(instruction, here());
  }

  function compileAtomic(body: PatternNode): void {
    const atomic = add({ kind: "atomic", body: here() + 1, next: 0 });
    compile(body);
    add({ kind: "accept" });
    atomic.next = here();
  }

  function compileLook(body: PatternNode, back: number, negative: boolean): void {
    const look = add({ kind: "look", body: here() + 1, back, negative, next: 0 });
    compile(body);
    add({ kind: "accept" });
    look.next = here();
  }

  /** Each option looks behind by its own width. */
  function compileLookBehindChoice(options: readonly PatternNode[], negative: boolean): void {
    if (negative) {
      for (const option of options) compileLook(option, fixedWidth(option), true);
      return;
    }
    compileChoice(options.map((body) => ({ kind: "look", body, behind: true, negative: false })));
  }

  compile(pattern);
  add({ kind: "accept" });
  return { instructions, word: set(WORD, false) };
}

/** Width of a pattern that has only one, as the parser has checked. */
function fixedWidth(node: PatternNode): number {
  return widths(node)[0];
}
