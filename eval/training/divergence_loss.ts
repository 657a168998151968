import type { TransformerDescription } from "../architectures/description.ts";

/** What is done to the head's product, gains and bias included, before it is the logits. */
export type LogitSettings = Pick<TransformerDescription, "logitScale" | "logitSoftCap">;

/**
 * KL(original ‖ trained) in nats of one token, given the original's logits and what the trained head's
 * product gives. Replaces that by the gradient by it.
 */
export function divergenceGradient(
  original: Float32Array,
  product: Float32Array,
  { logitScale = 1, logitSoftCap = Infinity }: LogitSettings,
): number {
  const isPlain = logitScale === 1 && logitSoftCap === Infinity;
  const cap = (x: number) =>
    logitSoftCap === Infinity ? x : logitSoftCap * Math.tanh(x / logitSoftCap);
  const logits = isPlain ? product : product.map((x) => cap(logitScale * x));
  const [ofOriginal, ofTrained] = [logSum(original), logSum(logits)];
  let divergence = 0;
  for (let i = 0; i < logits.length; i++) {
    const logOriginal = original[i]! - ofOriginal, logTrained = logits[i]! - ofTrained;
    const share = Math.exp(logOriginal);
    divergence += share * (logOriginal - logTrained);
    const slope = isPlain ? 1 : logitScale * (1 - (logits[i]! / logitSoftCap) ** 2);
    product[i] = (Math.exp(logTrained) - share) * slope;
  }
  return divergence;
}

function logSum(logits: Float32Array): number {
  let largest = -Infinity;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > largest) largest = logits[i]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - largest);
  return largest + Math.log(sum);
}
