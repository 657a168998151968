/** Names of the activation functions that a config may ask for. */
export const activationNames = [
  "gelu",
  "gelu_fast",
  "gelu_new",
  "gelu_pytorch_tanh",
  "quick_gelu",
  "relu",
  "silu",
  "swish",
] as const;

/** One of {@linkcode activationNames}. */
export type ActivationName = typeof activationNames[number];
