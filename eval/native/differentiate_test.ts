import assert from "node:assert";
import type { OnnxGraph, OnnxValue } from "../../data/onnx/onnx_model.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { buildGraph, type GraphBuilder } from "../onnx/graph_builder.ts";
import { needsNative } from "../testdata/needs_native.ts";
import { differentiate } from "./differentiate.ts";
import { requireNativeRuntime } from "./runtime.ts";
import { NativeSessions } from "./sessions.ts";

/** An expression y of some inputs, each with the shape that it is tried with. */
interface Case {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** The inputs that it is differentiated by; all if omitted. */
  readonly by?: readonly string[];
  readonly shape: readonly number[];
  readonly build: (graph: GraphBuilder) => string;
}

const integers = (...values: number[]) => ({ integers: values });
const integer = (value: number) => ({ integer: value });

/** A function of one value, element by element. */
const elementwise = (operator: string, attributes = {}): Case => ({
  inputs: { a: [2, 5] },
  shape: [2, 5],
  build: (graph) => graph.apply(operator, ["a"], attributes),
});
/** A function of two values, of which the second is shared along a leading axis. */
const shared = (operator: string): Case => ({
  inputs: { a: [2, 3, 4], b: [4] },
  shape: [2, 3, 4],
  build: (graph) => graph.apply(operator, ["a", "b"]),
});

const cases: Readonly<Record<string, Case>> = {
  Add: shared("Add"),
  Sub: shared("Sub"),
  Mul: shared("Mul"),
  Div: shared("Div"),
  "Mul, shared along a mean": {
    inputs: { a: [3, 4] },
    shape: [3, 4],
    build: (graph) =>
      graph.apply("Mul", ["a", graph.apply("ReduceMean", ["a", graph.integers(-1)])]),
  },
  "a value that is used twice": {
    inputs: { a: [3, 4] },
    shape: [3, 4],
    build: (graph) => graph.apply("Mul", [graph.apply("Tanh", ["a"]), "a"]),
  },
  Sqrt: elementwise("Sqrt"),
  Sigmoid: elementwise("Sigmoid"),
  Tanh: elementwise("Tanh"),
  Relu: elementwise("Relu"),
  Gelu: elementwise("Gelu"),
  "Gelu by tanh": elementwise("Gelu", { approximate: { text: "tanh" } }),
  Softmax: elementwise("Softmax", { axis: integer(-1) }),
  "Softmax above a floor": {
    inputs: { a: [2, 5] },
    shape: [2, 5],
    build(graph) {
      const highest = graph.apply("ReduceMax", ["a", graph.integers(-1)]);
      const floor = graph.apply("Sub", [highest, graph.float(60)]);
      const scores = graph.apply("Max", ["a", floor]);
      return graph.apply("Softmax", [scores], { axis: integer(-1) });
    },
  },
  ReduceMean: {
    inputs: { a: [3, 4] },
    shape: [3, 1],
    build: (graph) => graph.apply("ReduceMean", ["a", graph.integers(-1)]),
  },
  Gemm: {
    inputs: { a: [3, 4], b: [4, 5] },
    shape: [3, 5],
    build: (graph) => graph.apply("Gemm", ["a", "b"]),
  },
  "Gemm, turned": {
    inputs: { a: [3, 4], b: [5, 4] },
    shape: [3, 5],
    build: (graph) => graph.apply("Gemm", ["a", "b"], { transB: integer(1) }),
  },
  MatMul: {
    inputs: { a: [2, 3, 4], b: [2, 4, 5] },
    shape: [2, 3, 5],
    build: (graph) => graph.apply("MatMul", ["a", "b"]),
  },
  Reshape: {
    inputs: { a: [3, 4] },
    shape: [2, 6],
    build: (graph) => graph.apply("Reshape", ["a", graph.integers(2, 6)]),
  },
  Transpose: {
    inputs: { a: [2, 3, 4] },
    shape: [4, 2, 3],
    build: (graph) => graph.apply("Transpose", ["a"], { perm: integers(2, 0, 1) }),
  },
  Unsqueeze: {
    inputs: { a: [3, 4] },
    shape: [3, 1, 4],
    build: (graph) => graph.apply("Unsqueeze", ["a", graph.integers(1)]),
  },
  "Split, of which one part is used": {
    inputs: { a: [3, 4] },
    shape: [3, 2],
    build: (graph) => {
      const [, second] = graph.applyMany("Split", ["a"], 2, {
        axis: integer(-1),
        num_outputs: integer(2),
      });
      return graph.apply("Tanh", [second!]);
    },
  },
  Concat: {
    inputs: { a: [3, 4], b: [3, 2] },
    shape: [3, 6],
    build: (graph) => graph.apply("Concat", ["a", "b"], { axis: integer(-1) }),
  },
  LayerNormalization: {
    inputs: { a: [3, 6], b: [6], c: [6] },
    shape: [3, 6],
    build: (graph) =>
      graph.apply("LayerNormalization", ["a", "b", "c"], {
        axis: integer(-1),
        epsilon: { float: 1e-5 },
      }),
  },
};

/** Half a difference's width. */
const STEP = 2 ** -7;

function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function valuesOf(shapes: Case["inputs"]): OnnxValue[] {
  return Object.entries(shapes).map(([name, shape]) => ({ name, type: "float32", shape }));
}

/** The graph that gives y, and that of Σ dy y by the inputs. */
function graphsOf({ inputs, by, shape, build }: Case): { forward: OnnxGraph; backward: OnnxGraph } {
  const given = valuesOf(inputs);
  const forward = buildGraph(new Map());
  const y = build(forward);
  const backward = buildGraph(new Map());
  const output = build(backward);
  const all = [...given, { name: "dy", type: "float32" as const, shape }];
  const gradients = differentiate(backward, {
    inputs: all,
    output,
    outputGradient: "dy",
    by: by ?? Object.keys(inputs),
  });
  const found = (by ?? Object.keys(inputs)).map((name) => {
    backward.applyAs(`gradient ${name}`, "Identity", [gradients.get(name)!]);
    return { name: `gradient ${name}`, type: "float32" as const, shape: inputs[name]! };
  });
  return {
    forward: {
      inputs: given,
      outputs: [{ name: y, type: "float32", shape }],
      ...forward.finish(),
    },
    backward: { inputs: all, outputs: found, ...backward.finish() },
  };
}

for (const [name, one] of Object.entries(cases)) {
  Deno.test({
    name: `the gradient of ${name} is what differences give`,
    ...needsNative,
    async fn() {
      const sessions = new NativeSessions(requireNativeRuntime(), 1);
      const { Tensor } = sessions.runtime;
      const random = createRandom(5);
      // Away from 0, where roots, quotients and Relu have no slope.
      const draw = (shape: readonly number[], sign: boolean) =>
        Float32Array.from(
          { length: size(shape) },
          () => (0.3 + random.uniform()) * (sign && random.uniform() < 0.5 ? -1 : 1),
        );
      const isSigned = name !== "Sqrt";
      const inputs = new Map(
        Object.entries(one.inputs).map(([key, shape]) => [key, draw(shape, isSigned)]),
      );
      const dy = draw(one.shape, true);
      const { forward, backward } = graphsOf(one);
      const feed = (key: string, data: Float32Array, shape: readonly number[]) =>
        [key, new Tensor("float32", data, [...shape])] as const;
      const feeds = () =>
        Object.fromEntries(
          Object.entries(one.inputs).map(([key, shape]) => feed(key, inputs.get(key)!, shape)),
        );
      try {
        const session = await sessions.get("forward", () => forward);
        const loss = async () => {
          const results = await session.run(feeds(), session.outputNames);
          const y = results[session.outputNames[0]!]!.data as Float32Array;
          assert.equal(y.length, dy.length);
          return y.reduce((sum, value, at) => sum + value * dy[at]!, 0);
        };
        const back = await sessions.get("backward", () => backward);
        const all = { ...feeds(), ...Object.fromEntries([feed("dy", dy, one.shape)]) };
        const gradients = await back.run(all, back.outputNames);
        for (const key of one.by ?? inputs.keys()) {
          const gradient = gradients[`gradient ${key}`]!.data as Float32Array;
          const values = inputs.get(key)!;
          assert.equal(gradient.length, values.length);
          for (let at = 0; at < values.length; at++) {
            const value = values[at]!;
            values[at] = value + STEP;
            const above = await loss();
            values[at] = value - STEP;
            const below = await loss();
            values[at] = value;
            const slope = (above - below) / (2 * STEP);
            // Curvature and float32 leave less than this.
            const allowed = 3e-3 * (1 + Math.abs(slope));
            assert.ok(
              Math.abs(gradient[at]! - slope) < allowed,
              `${key} ${at}: ${gradient[at]}, ${slope}`,
            );
          }
        }
      } finally {
        await sessions.close();
      }
    },
  });
}

Deno.test("an operator without a rule, or a side of a product that has none, is named", () => {
  const refused = (build: (graph: GraphBuilder) => string, by: string[], message: RegExp) => {
    const graph = buildGraph(new Map());
    const output = build(graph);
    const inputs = valuesOf({ a: [2, 2], b: [2, 2], c: [2] });
    assert.throws(
      () => differentiate(graph, { inputs, output, outputGradient: "dy", by }),
      message,
    );
  };
  refused((graph) => graph.apply("Floor", ["a"]), ["a"], /cannot differentiate the operator Floor/);
  refused((graph) => graph.apply("Gemm", ["a", "b", "c"]), ["c"], /by their two sides only/);
});
