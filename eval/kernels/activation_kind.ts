import type { ActivationName } from "../architectures/activation_names.ts";

const kinds: Readonly<Record<ActivationName, number>> = {
  relu: 0,
  silu: 1,
  swish: 1,
  quick_gelu: 2,
  gelu: 3,
  gelu_fast: 4,
  gelu_new: 4,
  gelu_pytorch_tanh: 4,
};

/** The number by which the kernel knows an activation. */
export function activationKind(name: ActivationName): number {
  return kinds[name];
}
