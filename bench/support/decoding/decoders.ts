import { memorySource } from "../../../data/memory_source.ts";
import { openContainer } from "../../../hierarchy/file/container.ts";
import { decodeWeights } from "../../../hierarchy/decode_container.ts";
import { levelShapes } from "../../../hierarchy/levels/level_codecs.ts";
import { decodeTrellis } from "../../../hierarchy/levels/trellis_codec.ts";
import { codedShapes } from "../../../hierarchy/file/plan_tensors.ts";
import { finish } from "../../../workers/steps.ts";

/** What is timed, of one compressed file. */
export interface Decoders {
  /** Number of weights that the code streams hold. */
  readonly weights: number;
  /** Decodes the code streams. */
  codes(): void;
  /** Decodes the whole file: dequantization and tensors that are not coded included. */
  whole(): void;
}

/** Opens a compressed file of the preset `rate`. */
export async function openDecoders(bytes: Uint8Array): Promise<Decoders> {
  const container = await openContainer(memorySource(bytes, "bench"));
  const stage = container.stages[0]!;
  const at = stage.findIndex(({ kind }) => kind === "trellis");
  const shapes = levelShapes(stage, codedShapes(container.tensors))[at]!;
  return {
    weights: shapes.reduce((sum, { rows, columns }) => sum + rows * columns, 0),
    codes: () => void decodeTrellis(stage[at]!, [], shapes),
    whole: () => void finish(decodeWeights(container)),
  };
}
