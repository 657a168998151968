import type { StateDict } from "../../data/mod.ts";
import { type ModelConfig, readStateDict } from "../../eval/mod.ts";
import { containerWeights } from "../../hierarchy/container_weights.ts";
import type { Container } from "../../hierarchy/file/container.ts";
import { decodeContainer } from "../../hierarchy/decode_container.ts";
import { decodesApart } from "../../hierarchy/file/decode_groups.ts";

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
  return await readStateDict({ config, weights: containerWeights(container, { signal }) });
}
