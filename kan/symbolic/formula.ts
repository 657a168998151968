import { requireInteger, requireOptionNames } from "../numeric/checks.ts";
import { requireModel } from "../model/model_checks.ts";
import { ConstantNode, isConstantNode } from "mathjs";
import { isAlive, type KanLayerModel } from "../model/layer_model.ts";
import type { KanModel } from "../model/model.ts";
import type { ColumnScale } from "../model/scaling.ts";
import { latexNameOf, type SymbolicEdge, symbolicFunction } from "../model/symbolic_functions.ts";
import { tidy } from "./tidy.ts";

/** One output as a formula. */
export interface Formula {
  /** In the syntax of math.js, e.g. `exp(sin(3.1416 * x_1) + x_2 ^ 2)`. */
  readonly text: string;
  /** In LaTeX. */
  readonly latex: string;
}

/** How {@link formulaOf} writes. */
export interface FormulaOptions {
  /** Names of the inputs, letters, digits and `_`; x_1, x_2, ... if omitted. */
  readonly inputNames?: readonly string[];
  /** Decimals to which numbers are rounded, 0 to 15; 4 if omitted. Terms that round to 0 go. */
  readonly decimals?: number;
}

/** How far numbers are rounded. */
interface Rounding {
  /** Decimals of what is of size 1. */
  readonly decimals: number;
  /** The scaled inputs by name: how large they are, and how much they vary. Other atoms count as 1. */
  readonly columns: ReadonlyMap<string, { readonly size: number; readonly spread: number }>;
}

/** constant + sum of coefficient * atom; atoms are texts. */
interface LinearCombination {
  readonly constant: number;
  readonly terms: ReadonlyMap<string, number>;
}

/**
 * The formulas of all outputs of a model whose living edges are all symbolic. Linear parts are
 * collected here; math.js writes LaTeX, and tidies the rest of what is not too long for it.
 *
 * @throws RangeError if a living edge is not symbolic, or the names do not fit the inputs.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { fixSymbolic, formulaOf } from "@kanpress/kanpress/kan/symbolic";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [1, 1], random: createRandom(0) });
 * const form = { name: "sin", inputScale: 3, inputShift: 0, outputScale: 2, outputShift: 1 };
 * const fixed = fixSymbolic(model, samplesFrom([]), { layer: 0, input: 0, output: 0 }, form);
 * assert.equal(formulaOf(fixed)[0]!.text, "2 * sin(3 * x_1) + 1");
 * ```
 */
export function formulaOf(model: KanModel, options: FormulaOptions = {}): readonly Formula[] {
  requireOptionNames("formulaOf", options, { inputNames: true, decimals: true });
  const inputDim = model.layers[0]!.inputDim;
  const names = options.inputNames ?? Array.from({ length: inputDim }, (_, i) => `x_${i + 1}`);
  const { decimals = 4 } = options;
  if (names.length !== inputDim || !names.every((name) => /^[A-Za-z]\w*$/.test(name))) {
    throw new RangeError(`the model needs ${inputDim} names of letters, digits and _`);
  }
  requireInteger("decimals", decimals, 0, 15);
  requireModel(model);
  const { scaling } = model;
  const columns = new Map(
    scaling?.inputs.flatMap(({ center, spread }, i) => {
      if (center === 0 && spread === 1) return [];
      return [[names[i]!, { size: Math.abs(center) + spread, spread }]];
    }),
  );
  const rounding: Rounding = { decimals, columns };
  let nodes: readonly LinearCombination[] = names.map((name, i) => {
    const { center, spread } = scaling?.inputs[i] ?? { center: 0, spread: 1 };
    return { constant: -center / spread, terms: new Map([[name, 1 / spread]]) };
  });
  model.layers.forEach((layer, l) => {
    requireSymbolic(layer, l);
    nodes = nodesOf(layer, nodes, rounding);
  });
  // math.js joins numbers in float64, so they are rounded once more after it.
  const roundAgain = scaling === undefined
    ? (value: number) => Number(value.toFixed(decimals))
    : (value: number) => Number(value.toPrecision(12));
  return nodes.map((node, o) => {
    const text = formatOutput(node, rounding, scaling?.outputs[o]);
    const tree = tidy(text).transform((part) =>
      isConstantNode(part) && typeof part.value === "number"
        ? new ConstantNode(roundAgain(part.value))
        : part
    );
    return { text: tree.toString(), latex: tree.toTex({ handler: writeNames }) };
  });
}

/** An output in its raw units, where a digit counts as much as it did in scaled ones. */
function formatOutput(
  node: LinearCombination,
  rounding: Rounding,
  column: ColumnScale = { center: 0, spread: 1 },
): string {
  const { center, spread } = column;
  if (center === 0 && spread === 1) return format(node, rounding);
  const decimals = Math.max(0, rounding.decimals - Math.floor(Math.log10(spread)));
  const raw = add(scale(node, spread), { constant: center, terms: new Map() });
  return format(raw, { ...rounding, decimals });
}

/** x_12 as x_{12}, and functions of one's own as they want to be written. */
function writeNames(
  node: {
    type: string;
    name?: string;
    fn?: { name: string };
    args?: { toTex(options: object): string }[];
  },
  options: object,
): string | undefined {
  if (node.type === "FunctionNode" && node.fn !== undefined) {
    const latexName = latexNameOf(node.fn.name);
    const list = (node.args ?? []).map((each) => each.toTex(options)).join(",");
    return latexName === undefined ? undefined : `${latexName}\\left(${list}\\right)`;
  }
  if (node.type !== "SymbolNode" || node.name === undefined) return undefined;
  const [stem, ...rest] = node.name.split("_");
  return rest.length === 0 ? undefined : ` ${stem}_{${rest.join("\\_")}}`;
}

function requireSymbolic(layer: KanLayerModel, l: number): void {
  layer.mask.forEach((mask, edge) => {
    if (mask === 0) return;
    const input = Math.floor(edge / layer.outputDim), output = edge % layer.outputDim;
    throw new RangeError(
      `the edge from input ${input} to sum ${output} of layer ${l} is not symbolic; ` +
        "use fixSymbolic or autoSymbolic",
    );
  });
}

function nodesOf(
  layer: KanLayerModel,
  inputs: readonly LinearCombination[],
  rounding: Rounding,
): LinearCombination[] {
  const sums = Array.from({ length: layer.outputDim }, (_, o) => {
    let sum: LinearCombination = { constant: 0, terms: new Map() };
    for (let i = 0; i < layer.inputDim; i++) {
      if (!isAlive(layer, i, o)) continue;
      sum = add(sum, edgeOf(layer.symbolic.get(i * layer.outputDim + o)!, inputs[i]!, rounding));
    }
    return sum;
  });
  let at = layer.outputDim - layer.products.reduce((total, count) => total + count, 0);
  const nodes = sums.slice(0, at);
  for (const count of layer.products) {
    nodes.push(sums.slice(at, at + count).reduce((a, b) => multiply(a, b, rounding)));
    at += count;
  }
  return nodes;
}

/** c f(a x + b) + d for a linear combination x. */
function edgeOf(
  edge: SymbolicEdge,
  input: LinearCombination,
  rounding: Rounding,
): LinearCombination {
  const { name, inputScale, inputShift, outputScale, outputShift } = edge;
  const argument = add(scale(input, inputScale), { constant: inputShift, terms: new Map() });
  const shift = { constant: outputShift, terms: new Map<string, number>() };
  if (name === "0") return shift;
  if (name === "x") return add(scale(argument, outputScale), shift);
  const power = /^(1\/)?x\^?(\d*)$/.exec(name);
  const single = rounded(argument, rounding);
  if (
    power !== null && single.constant === 0 && single.terms.size === 1 &&
    !isColumn(single, rounding)
  ) {
    // (k t)^n = k^n t^n keeps the number out of the power.
    const [[atom]] = single.terms as unknown as [[string, number]];
    const exponent = Number(power[2] || 1) * (power[1] === undefined ? 1 : -1);
    const factor = argument.terms.get(atom)! ** exponent;
    return add(term(symbolicFunction(name).format(atom), outputScale * factor), shift);
  }
  if (name === "exp" && !isColumn(argument, rounding)) {
    // e^(u + k) = e^k e^u.
    const atom = `exp(${format({ ...argument, constant: 0 }, rounding)})`;
    return add(term(atom, outputScale * Math.exp(argument.constant)), shift);
  }
  if (name === "sin" || name === "cos") {
    return add(waveOf(name, argument, outputScale, rounding), shift);
  }
  return add(term(symbolicFunction(name).format(format(argument, rounding)), outputScale), shift);
}

/** A wave with its phase moved into (-pi/2, pi/2] and its first coefficient made positive. */
function waveOf(
  name: "sin" | "cos",
  argument: LinearCombination,
  amplitude: number,
  rounding: Rounding,
): LinearCombination {
  const [first = 1] = argument.terms.values();
  const isTurned = first < 0;
  const turned = isTurned ? scale(argument, -1) : argument;
  const halfTurns = Math.round(turned.constant / Math.PI);
  const sign = (isTurned && name === "sin" ? -1 : 1) * (halfTurns % 2 === 0 ? 1 : -1);
  const phase = { ...turned, constant: turned.constant - halfTurns * Math.PI };
  return term(`${name}(${format(phase, rounding)})`, sign * amplitude);
}

/** Whether a scaled input is in it, whose powers and products would have tiny or huge factors. */
function isColumn({ terms }: LinearCombination, { columns }: Rounding): boolean {
  return [...terms.keys()].some((atom) => columns.has(atom));
}

function term(atom: string, coefficient: number): LinearCombination {
  return { constant: 0, terms: new Map([[atom, coefficient]]) };
}

function add(a: LinearCombination, b: LinearCombination): LinearCombination {
  const terms = new Map(a.terms);
  for (const [atom, coefficient] of b.terms) terms.set(atom, (terms.get(atom) ?? 0) + coefficient);
  return { constant: a.constant + b.constant, terms };
}

function scale(a: LinearCombination, factor: number): LinearCombination {
  const terms = new Map([...a.terms].map(([atom, coefficient]) => [atom, coefficient * factor]));
  return { constant: a.constant * factor, terms };
}

function multiply(
  a: LinearCombination,
  b: LinearCombination,
  rounding: Rounding,
): LinearCombination {
  const [left, right] = [rounded(a, rounding), rounded(b, rounding)];
  if (left.terms.size === 0) return scale(b, a.constant);
  if (right.terms.size === 0) return scale(a, b.constant);
  const areSingle = left.terms.size === 1 && right.terms.size === 1 && !isColumn(left, rounding) &&
    !isColumn(right, rounding);
  if (left.constant === 0 && right.constant === 0 && areSingle) {
    const [[leftAtom]] = left.terms as unknown as [[string, number]];
    const [[rightAtom]] = right.terms as unknown as [[string, number]];
    return term(`${leftAtom} * ${rightAtom}`, a.terms.get(leftAtom)! * b.terms.get(rightAtom)!);
  }
  return term(`(${format(a, rounding)}) * (${format(b, rounding)})`, 1);
}

/** With all numbers rounded, without terms that vanish. */
function rounded(a: LinearCombination, { decimals, columns }: Rounding): LinearCombination {
  const round = (value: number, digits: number) =>
    Number(value.toFixed(Math.min(Math.max(digits, 0), 100)));
  const terms = [...a.terms].map(([atom, coefficient]) => {
    const column = columns.get(atom);
    if (column === undefined) return [atom, round(coefficient, decimals)] as const;
    if (round(coefficient * column.spread, decimals) === 0) return [atom, 0] as const;
    return [atom, round(coefficient, decimals + Math.ceil(Math.log10(column.size)))] as const;
  });
  return {
    constant: round(a.constant, decimals),
    terms: new Map(terms.filter(([, coefficient]) => coefficient !== 0)),
  };
}

function format(a: LinearCombination, rounding: Rounding): string {
  const { constant, terms } = rounded(a, rounding);
  const parts = [...terms].map(([atom, coefficient]) => {
    if (coefficient === 1) return atom;
    return coefficient === -1 ? `-(${atom})` : `${coefficient} * ${atom}`;
  });
  if (constant !== 0 || parts.length === 0) parts.push(`${constant}`);
  return parts.join(" + ").replaceAll("+ -", "- ");
}
