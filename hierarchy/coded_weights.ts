import { releaseMemory } from "../data/release_memory.ts";
import { naming } from "../data/naming.ts";
import { transpose } from "../data/transpose.ts";
import { finishWithBreaks, type Steps } from "../workers/steps.ts";
import type { DecodeOptions } from "./decode_container.ts";
import type { Container } from "./file/container.ts";
import { codedTensors } from "./file/decode_groups.ts";
import { codedForm } from "./levels/level_codecs.ts";
import type { CodedMatrix } from "./matrix/coded_matrix.ts";

/** The tensors of a compressed model as they are coded. */
export interface CodedWeights {
  /** Names of the tensors that levels code, tied ones too. */
  readonly names: ReadonlySet<string>;
  /**
   * Decodes a tensor of {@linkcode CodedWeights.names}, its first axis by all others: whole numbers
   * and their factors, whose products are what {@linkcode decodeContainer} gives.
   */
  read(name: string): Promise<CodedMatrix>;
}

/**
 * The weights of a compressed model as whole numbers with a factor for each row and column, decoded
 * one tensor at a time, when they are read. Undefined of files whose levels are of another form.
 */
export function codedWeights(
  { tensors: stored, aliases, stages, file }: Container,
  { signal }: DecodeOptions = {},
): CodedWeights | undefined {
  const { tensors, shapes } = codedTensors(stored);
  const form = codedForm(stages, shapes);
  if (form === undefined) return undefined;
  const numbers = new Map(tensors.map(({ name }, number) => [name, number]));
  for (const [name, target] of aliases) {
    const number = numbers.get(target);
    if (number !== undefined) numbers.set(name, number);
  }
  function* decode(name: string): Steps<CodedMatrix> {
    const number = numbers.get(name)!;
    const integers = (yield* form!.integers(new Map([[number, {}]])))[number]!;
    const factors = form!.factors[number]!;
    if (!tensors[number]!.transposed) return { integers, factors };
    const { rows, columns, data } = integers;
    const turned = transpose(data, rows, columns);
    releaseMemory(data);
    return {
      integers: { name, rows: columns, columns: rows, data: turned },
      factors: { rows: factors.columns, columns: factors.rows },
    };
  }
  return {
    names: new Set(numbers.keys()),
    read(name) {
      const work = () => finishWithBreaks(decode(name), signal);
      return file === undefined ? work() : naming(file, work);
    },
  };
}
