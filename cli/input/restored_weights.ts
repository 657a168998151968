import type { StateDict } from "../../data/mod.ts";
import { type ModelConfig, readStateDict } from "../../eval/mod.ts";
import {
  compressedWeights,
  type Container,
  decodeContainer,
  decodesApart,
} from "../../hierarchy/mod.ts";

/**
 * The weights of a compressed model, in memory that workers share: decoded one tensor after another
 * where the file allows it, so that they are held once.
 */
export async function readRestoredWeights(
  container: Container,
  config: ModelConfig,
  signal?: AbortSignal,
): Promise<StateDict> {
  if (!decodesApart(container)) return await decodeContainer(container, { signal });
  return await readStateDict({ config, weights: compressedWeights(container, { signal }) });
}
