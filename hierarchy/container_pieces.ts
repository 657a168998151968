import { InputError } from "../data/input_error.ts";
import { naming } from "../data/naming.ts";
import { quote } from "../data/quote.ts";
import type { WeightTensor } from "../data/tensor.ts";
import { finishWithBreaks } from "../workers/steps.ts";
import type { DecodeOptions } from "./decode_container.ts";
import type { Container } from "./file/container.ts";
import { codedTensors, type DecodeGroup, decodeGroup, decodeRows } from "./file/decode_groups.ts";
import { decodeVerbatimTensors } from "./file/verbatim_tensors.ts";

/** How pieces are cut. */
export interface PieceOptions extends DecodeOptions {
  /** Values of a piece of a tensor that has more, about; 2^24 if omitted. */
  readonly blockValues?: number;
}

/**
 * What decodes the values of a container's tensors in pieces, to the same bits as all at once: large
 * tensors some rows at a time, small ones with their neighbours, which are kept until they are asked
 * for. It is quickest in the order of the container. A piece is the caller's to be released.
 *
 * Throws {@linkcode InputError} where there is no such tensor, or where it does not decode.
 */
export function containerPieces(
  container: Container,
  { signal, blockValues }: PieceOptions = {},
): (name: string) => AsyncGenerator<Float32Array, void> {
  const { tensors, aliases, stages, verbatim, file } = container;
  const named = <T>(work: () => T) => file === undefined ? work() : naming(file, work);
  const kept = named(() => decodeVerbatimTensors(tensors, verbatim));
  const coded = codedTensors(tensors);
  const groups = new Map<string, DecodeGroup[]>();
  for (const group of decodeRows(stages, coded, blockValues)) {
    for (const matrix of group.matrices) {
      const { name } = coded.tensors[matrix]!;
      groups.set(name, [...groups.get(name) ?? [], group]);
    }
  }
  /** Neighbours of what was asked for last. */
  let decoded = new Map<string, WeightTensor>();
  const decode = async (group: DecodeGroup) =>
    await named(() => finishWithBreaks(decodeGroup(stages, coded, group), signal));
  return async function* (name) {
    const target = aliases.get(name) ?? name;
    const exactly = kept.get(target);
    if (exactly !== undefined) return yield exactly.data.slice();
    const own = groups.get(target);
    if (own === undefined) {
      throw new InputError(`tensor ${quote(name)} is not in the compressed model`);
    }
    if (own.length > 1) {
      for (const group of own) for (const [, { data }] of await decode(group)) yield data;
      return;
    }
    if (!decoded.has(target)) decoded = new Map(await decode(own[0]!));
    const { data } = decoded.get(target)!;
    decoded.delete(target);
    yield data;
  };
}
