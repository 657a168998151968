import { type Expression, readExpression } from "../symbolic/expression.ts";
import { FEYNMAN_TABLE } from "./feynman_table.ts";

/** An equation of physics to be found again from samples. */
export interface FeynmanProblem {
  /** Where it stands, e.g. `I.6.20`: volume, chapter and equation of the Feynman Lectures. */
  readonly name: string;
  /** The right side, in the syntax of math.js. */
  readonly formula: string;
  /** The variables, in the order of the inputs, and where they are sampled. */
  readonly variables: readonly {
    readonly name: string;
    readonly range: readonly [number, number];
  }[];
  /** The value at a point that has a number for each variable. */
  evaluate(point: ArrayLike<number>): number;
}

/**
 * 120 equations of physics that networks and symbolic regression are tried on: those of the Feynman
 * Lectures and of other textbooks. `sampleFunction(problem.evaluate, …)` makes data of one.
 *
 * ```ts
 * import { feynmanProblems } from "@kanpress/kanpress/kan/data";
 * import assert from "node:assert";
 *
 * const short = feynmanProblems.filter(({ variables }) => variables.length === 2);
 * assert.ok(short.some(({ name }) => name === "I.25.13")); // voltage q / C
 * ```
 */
export const feynmanProblems: readonly FeynmanProblem[] = FEYNMAN_TABLE.map(parseProblem);

function parseProblem(line: string): FeynmanProblem {
  const [name, formula, list] = line.split(" | ") as [string, string, string];
  const number = (text: string) => readExpression(text, []).value([]);
  const variables = list.split(", ").map((each) => {
    const [variable, lowest, highest] = each.split(" ") as [string, string, string];
    return { name: variable, range: [number(lowest), number(highest)] as const };
  });
  let expression: Expression | undefined;
  return {
    name,
    formula,
    variables,
    evaluate(point) {
      expression ??= readExpression(formula, variables.map(({ name }) => name));
      return expression.value(point);
    },
  };
}

/**
 * The equation of this name.
 *
 * @throws RangeError if there is none.
 *
 * ```ts
 * import { feynmanProblem, sampleFunction } from "@kanpress/kanpress/kan/data";
 * import { createRandom } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * const { evaluate, variables } = feynmanProblem("I.27.6"); // focal length
 * const ranges = variables.map(({ range }) => range);
 * const data = sampleFunction(evaluate, { ranges, rows: 100, random: createRandom(0) });
 * assert.equal(data.inputs.columns, 3);
 * ```
 */
export function feynmanProblem(name: string): FeynmanProblem {
  const found = feynmanProblems.find((problem) => problem.name === name);
  if (found !== undefined) return found;
  const names = feynmanProblems.map((problem) => problem.name).join(", ");
  throw new RangeError(`no equation "${name}"; there are: ${names}`);
}
