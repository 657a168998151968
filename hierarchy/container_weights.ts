import { InputError } from "../data/input_error.ts";
import { releaseMemory } from "../data/release_memory.ts";
import { pickRows } from "../data/read_rows.ts";
import type { WeightSource, WeightTensor } from "../data/tensor.ts";
import type { Container } from "./file/container.ts";
import { decodeVerbatimTensors } from "./file/verbatim_tensors.ts";
import { inseparableLevel } from "./file/decode_groups.ts";
import { decodeStages } from "./levels/level_codecs.ts";
import { codedShapes } from "./file/plan_tensors.ts";
import { transpose } from "../data/transpose.ts";
import { naming } from "../data/naming.ts";
import { quote } from "../data/quote.ts";
import type { DecodeOptions } from "./decode_container.ts";
import { requireFinite } from "./file/require_finite.ts";
import { finishWithBreaks, type Steps } from "../workers/steps.ts";

/**
 * The weights that a container holds, decoded one tensor at a time when they are read, to the same
 * bits as all at once, so that a model larger than the memory can be run from its compressed form.
 * Throws {@linkcode InputError} for a file with a level that codes tensors together.
 */
export function containerWeights(container: Container, options: DecodeOptions = {}): WeightSource {
  const { tensors, aliases, stages, verbatim, file } = container;
  const named = <T>(work: () => T) => file === undefined ? work() : naming(file, work);
  const together = inseparableLevel(stages);
  if (together !== undefined) {
    throw new InputError(
      `${
        file === undefined ? "" : `${file}: `
      }level ${together.kind} codes all tensors together, so they cannot be decoded one by one; ` +
        "do without --low-memory",
    );
  }
  const shapes = codedShapes(tensors);
  const numbers = new Map(shapes.map(({ name }, number) => [name, number]));
  const kept = named(() => decodeVerbatimTensors(tensors, verbatim));
  const stored = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const infoOf = (name: string) => {
    const tensor = stored.get(aliases.get(name) ?? name);
    if (tensor === undefined) {
      throw new InputError(`tensor ${quote(name)} is not in the compressed model`);
    }
    return tensor;
  };
  function* decode(name: string, wanted?: Int32Array): Steps<WeightTensor> {
    const tensor = infoOf(name);
    const exactly = kept.get(tensor.name);
    if (exactly !== undefined) return wanted === undefined ? exactly : pickRows(exactly, wanted);
    const index = numbers.get(tensor.name)!;
    const { dtype, shape, transposed } = tensor;
    const part = wanted && wanted.length < shape[0]! &&
      (transposed ? { columns: wanted } : { rows: wanted });
    const parts = new Map([[index, part || {}]]);
    const { data, rows, columns } = (yield* decodeStages(stages, shapes, parts))[index]!;
    requireFinite(name, data);
    const values = transposed ? transpose(data, rows, columns) : data;
    if (transposed) releaseMemory(data);
    return {
      dtype,
      shape: wanted === undefined ? shape : [wanted.length, ...shape.slice(1)],
      data: values,
    };
  }
  async function read(name: string, rows?: Int32Array): Promise<WeightTensor> {
    return await named(() => finishWithBreaks(decode(name, rows), options.signal));
  }
  return {
    tensors: [...stored.keys(), ...aliases.keys()].map((name) => {
      const { dtype, shape } = infoOf(name);
      return { name, dtype, shape };
    }),
    read: (name) => read(name),
    readRows: (name, rows) => read(name, rows),
  };
}
