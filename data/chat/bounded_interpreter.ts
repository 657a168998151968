import { type Environment, Interpreter } from "@huggingface/jinja";

type Evaluate = Interpreter["evaluate"];
/** A part of a template's syntax tree. */
type Statement = NonNullable<Parameters<Evaluate>[0]>;
/** What a part of a template evaluates to. */
type Value = ReturnType<Evaluate>;

/** A template asked for more than chat templates need. */
export class TemplateLimit extends Error {}

/** Work that a template may cause: what it evaluates, with all values in it. About a second. */
const MOST_WORK = 5_000_000;
/** Work of evaluating a part, and of going on to the next item of a list. */
const WORK_PER_PART = 4;
const WORK_PER_ITEM = 16;
/** Characters of a text that count as one value. */
const CHARACTERS_PER_WORK = 64;
/** Most characters of a text. */
const LONGEST_TEXT = 2_000_000;
/** Filters that repeat a text as often as a number says, and the largest such number. */
const REPEATING_FILTERS = ["indent", "tojson"];
const LARGEST_REPETITION = 1000;

/**
 * Runs a template of which nothing is known. It ends: every part that is evaluated costs as much as
 * its value is large, values that occur several times as often as they occur, since filters and
 * output go through all of them. Templates reach no more than the values that they are given: the
 * interpreter looks names up in maps of its own, never in JavaScript's objects.
 */
export class BoundedInterpreter extends Interpreter {
  #left = MOST_WORK;

  /** Evaluates one part; throws {@linkcode TemplateLimit} where the template has done too much. */
  override evaluate(statement: Statement | undefined, environment: Environment): Value {
    this.#spend(WORK_PER_PART);
    if (statement?.type === "FilterExpression") this.#checkFilter(statement, environment);
    const value = this.#strip(statement, environment) ?? super.evaluate(statement, environment);
    this.#charge(value);
    return value;
  }

  /** `text.strip("characters")` of Python, of which the library ignores the argument. */
  #strip(statement: Statement | undefined, environment: Environment): Value | undefined {
    if (statement?.type !== "CallExpression") return undefined;
    const { callee, args } = statement as unknown as CallSyntax;
    const name = callee.property?.value ?? "";
    if (callee.type !== "MemberExpression" || callee.computed || args.length !== 1) {
      return undefined;
    }
    if (!STRIPPED_SIDES.has(name)) return undefined;
    const text = this.evaluate(callee.object, environment);
    const characters = this.evaluate(args[0], environment);
    if (typeof text.value !== "string" || typeof characters.value !== "string") return undefined;
    const { start, end } = STRIPPED_SIDES.get(name)!;
    const stripped = stripText(text.value, characters.value, start, end);
    // The library does not export its classes.
    return new (text.constructor as new (value: string) => Value)(stripped);
  }

  #spend(work: number): void {
    this.#left -= work;
    if (this.#left < 0) throw new TemplateLimit("it runs without end, or nearly");
  }

  /** Goes through a value and all that is in it. */
  #charge(root: Value): void {
    if (Array.isArray(root.value)) this.#spend(WORK_PER_ITEM * root.value.length);
    const pending: Value[] = [root];
    for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
      const { value } = item as { value: unknown };
      if (typeof value === "string") {
        if (value.length > LONGEST_TEXT) throw new TemplateLimit("it makes a text without end");
        this.#spend(value.length / CHARACTERS_PER_WORK);
      } else if (Array.isArray(value)) {
        this.#spend(value.length);
        for (const one of value) pending.push(one);
      } else if (value instanceof Map) {
        this.#spend(value.size);
        for (const one of value.values()) pending.push(one);
      }
    }
  }

  #checkFilter(statement: Statement, environment: Environment): void {
    const { filter } = statement as unknown as { filter: FilterSyntax };
    if (filter.type !== "CallExpression") return;
    if (!REPEATING_FILTERS.includes(filter.callee?.value ?? "")) return;
    for (const argument of filter.args ?? []) {
      const { value } = super.evaluate(valueOfArgument(argument), environment) as {
        value: unknown;
      };
      if (typeof value === "number" && value > LARGEST_REPETITION) {
        throw new TemplateLimit(`it asks for ${value} spaces`);
      }
    }
  }
}

/** A call of what a member of something is. */
interface CallSyntax {
  readonly callee: {
    readonly type: string;
    readonly computed?: boolean;
    readonly object: Statement;
    readonly property?: { readonly value?: string };
  };
  readonly args: readonly Statement[];
}

/** Python's methods that take characters away, and from where. */
const STRIPPED_SIDES: ReadonlyMap<string, { readonly start: boolean; readonly end: boolean }> =
  new Map([
    ["strip", { start: true, end: true }],
    ["lstrip", { start: true, end: false }],
    ["rstrip", { start: false, end: true }],
  ]);

function stripText(text: string, characters: string, start: boolean, end: boolean): string {
  const letters = [...text];
  const isStripped = (letter: string | undefined) =>
    letter !== undefined && characters.includes(letter);
  let from = 0, to = letters.length;
  while (start && from < to && isStripped(letters[from])) from++;
  while (end && to > from && isStripped(letters[to - 1])) to--;
  return letters.slice(from, to).join("");
}

/** The filter of a FilterExpression: a name, or a call. */
interface FilterSyntax {
  readonly type: string;
  readonly callee?: { readonly value?: string };
  readonly args?: readonly Statement[];
}

/** `indent=4` is a name and a value. */
function valueOfArgument(argument: Statement): Statement {
  const { type, value, argument: spread } = argument as unknown as {
    readonly type: string;
    readonly value: Statement;
    readonly argument: Statement;
  };
  if (type === "KeywordArgumentExpression") return value;
  return spread ?? argument;
}
