import assert from "node:assert";
import { endTokens } from "./end_tokens.ts";

const tokenizer = { eosTokenId: 2 };

Deno.test("end tokens are those of the first file that names any", () => {
  const config = { eos_token_id: [3, 4] };
  assert.deepEqual(endTokens(config, tokenizer, { eos_token_id: [5, 6] }), [5, 6]);
  assert.deepEqual(endTokens(config, tokenizer, { eos_token_id: 5 }), [5]);
  assert.deepEqual(endTokens(config, tokenizer, { eos_token_id: null }), [3, 4]);
  assert.deepEqual(endTokens(config, tokenizer, { do_sample: true }), [3, 4]);
  assert.deepEqual(endTokens({ eos_token_id: 0 }, tokenizer), [0]);
  assert.deepEqual(endTokens({ eos_token_id: null }, tokenizer), [2]);
  assert.deepEqual(endTokens({}, {}), []);
});

Deno.test("what is not a token id is refused by the name of its file", () => {
  for (const eos_token_id of ["</s>", -1, 1.5, [], [1, "2"], { id: 1 }]) {
    assert.throws(
      () => endTokens({ eos_token_id }, tokenizer),
      /^InputError: config.json: eos_tok/,
    );
    assert.throws(
      () => endTokens({}, tokenizer, { eos_token_id }),
      /generation_config.json: eos_token_id must be a token id or a list of them, found/,
    );
  }
});
