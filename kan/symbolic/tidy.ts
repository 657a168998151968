import {
  ConstantNode,
  isConstantNode,
  isOperatorNode,
  isParenthesisNode,
  type MathNode,
  OperatorNode,
  parse,
  simplify,
} from "mathjs";

/** Parts of a formula, numbers, names and operations, that math.js simplifies in about a second. */
const MOST_PARTS = 120;
/** Terms of one sum, with which its time grows exponentially: 10 take .2 s, 20 take 18 s. */
const MOST_TERMS = 8;

/**
 * A formula in the syntax of math.js with as few parts as math.js finds; one with many parts or long
 * sums as it is, but for needless parentheses, signs and ones.
 */
export function tidy(text: string): MathNode {
  const tree = parse(text);
  let parts = 0, terms = 0;
  tree.traverse((node) => {
    parts++;
    terms = Math.max(terms, termsOf(node));
  });
  if (parts > MOST_PARTS || terms > MOST_TERMS) return dropMarks(tree);
  return simplify(tree, {}, { exactFractions: false });
}

/** The number of terms that a node adds up; 1 if it is no sum. */
function termsOf(node: MathNode): number {
  if (isParenthesisNode(node)) return termsOf(node.content);
  if (!isOperatorNode(node) || !["+", "-"].includes(node.op)) return 1;
  return node.args.reduce((sum, term) => sum + termsOf(term), 0);
}

/** The tree without parentheses, which math.js writes where they are needed, double signs and ones. */
function dropMarks(node: MathNode): MathNode {
  if (isParenthesisNode(node)) return dropMarks(node.content);
  const clean = node.map((part) => dropMarks(part));
  if (!isOperatorNode(clean)) return clean;
  const [left, right] = clean.args as MathNode[];
  if (clean.fn === "unaryMinus") return negated(left!) ?? clean;
  if (clean.fn === "add" || clean.fn === "subtract") {
    const opposite = negated(right!);
    if (opposite === undefined) return clean;
    return clean.fn === "add"
      ? new OperatorNode("-", "subtract", [left!, opposite])
      : new OperatorNode("+", "add", [left!, opposite]);
  }
  return clean.fn === "multiply" && isConstantNode(left) && left.value === 1 ? right! : clean;
}

/** Minus a node that begins with a minus; undefined for another. */
function negated(node: MathNode): MathNode | undefined {
  if (isConstantNode(node)) {
    return Number(node.value) < 0 ? new ConstantNode(-Number(node.value)) : undefined;
  }
  if (!isOperatorNode(node)) return undefined;
  if (node.fn === "unaryMinus") return node.args[0];
  if (node.fn !== "multiply") return undefined;
  const first = negated(node.args[0]!);
  return first && dropMarks(new OperatorNode("*", "multiply", [first, node.args[1]!]));
}
