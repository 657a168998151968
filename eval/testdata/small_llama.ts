/** The smallest Llama that has all that Llamas have; tests give it another size where it matters. */
export const smallLlama = {
  model_type: "llama",
  hidden_size: 16,
  intermediate_size: 24,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  max_position_embeddings: 256,
  vocab_size: 20,
};
