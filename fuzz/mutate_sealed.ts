import { encodeSafetensors, type TensorBytes } from "../data/safetensors_encode.ts";
import { sealMetadata } from "../data/sealed_safetensors.ts";
import type { Random } from "../kan/numeric/random.ts";
import { mutateBytes } from "./mutate_bytes.ts";

/** What a sealed file is made of. */
export interface SealedParts {
  readonly tensors: readonly TensorBytes[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** A file of these parts after one change or two of `change`, mostly sealed again behind them. */
export async function mutateSealed(
  random: Random,
  sound: SealedParts,
  change: (random: Random, tensors: TensorBytes[], metadata: Record<string, string>) => void,
): Promise<Uint8Array> {
  const tensors = [...sound.tensors], metadata = { ...sound.metadata };
  for (let times = 1 + random.integer(2); times > 0; times--) change(random, tensors, metadata);
  const bytes = encodeSafetensors(tensors, await sealMetadata(tensors, metadata));
  return random.integer(5) === 0 ? mutateBytes(random, bytes) : bytes;
}
