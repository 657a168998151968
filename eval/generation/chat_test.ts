import assert from "node:assert";
import { createChatTemplate } from "../../data/chat/chat_template.ts";
import recorded from "../../data/chat/testdata/chats.json" with { type: "json" };
import { createTextTokenizer } from "../../data/tokenizer.ts";
import { useBackend } from "../compute/backend.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { chatPrompt, generateReply, turnEndTokens } from "./chat.ts";
import { conversationFrame, ConversationWriter } from "./conversation.ts";
import { createLanguageModel } from "./language_model.ts";

const question = [{ role: "user", content: "hi" }];

const ends: Record<string, string> = {
  "smollm2": "<|im_end|>",
  "qwen2.5": "<|im_end|>",
  "mistral-nemo": "</s>",
  "phi-3.5": "<|end|>",
  "llama-3-style": "<|eot_id|>",
  "gemma-style": "<end_of_turn>",
};

const starts: Record<string, string> = {
  "smollm2": "<|im_start|>user\n",
  "qwen2.5": "<|im_start|>user\n",
  "mistral-nemo": "<s>[INST]",
  "phi-3.5": "<|user|>\n",
  "llama-3-style": "<|start_header_id|>user<|end_header_id|>\n\n",
  "gemma-style": "<start_of_turn>user\n",
};

for (const [family, end] of Object.entries(ends)) {
  Deno.test(`turns of ${family} begin and end as its template has them`, async () => {
    const path = new URL(`../../data/chat/testdata/${family}.jinja`, import.meta.url);
    const settings: Record<string, string> =
      recorded.families[family as keyof typeof recorded.families].settings;
    const template = createChatTemplate(await Deno.readTextFile(path), settings);
    const tokenizer = createTextTokenizer(recorded.tokenizer, settings);
    const found = turnEndTokens(template, tokenizer);
    assert.deepEqual(found.map((id) => tokenizer.decode([id])), [end]);
    const frame = conversationFrame(template, tokenizer);
    assert.ok(tokenizer.decode(frame.beginning).endsWith(starts[family]!));
    // What is drawn comes to the same conversation as the template makes of it.
    const writer = new ConversationWriter(frame);
    const written: number[] = [writer.next()];
    const text = ["a b", "c d", "e"];
    const whole = template.render(
      text.map((content, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content })),
      false,
    );
    while (written.length < frame.beginning.length) written.push(writer.next(0));
    for (const message of text.slice(0, 2)) {
      for (const id of tokenizer.encode(message)) written.push(writer.next(id));
      written.push(writer.next(found[0]!));
      const given = frame.between[text.indexOf(message)]!;
      for (let i = 1; i < given.length; i++) written.push(writer.next(0));
    }
    for (const id of tokenizer.encode(text[2]!)) written.push(writer.next(id));
    assert.ok(whole.startsWith(tokenizer.decode(written)), tokenizer.decode(written));
  });
}

Deno.test("a template that ends turns with ordinary text has no token that ends them", () => {
  const tokenizer = createTextTokenizer(recorded.tokenizer);
  const template = createChatTemplate("{% for m in messages %}{{ m.content }}\n\n{% endfor %}");
  assert.deepEqual(turnEndTokens(template, tokenizer), []);
});

Deno.test("a reply ends with the model's turn", async () => {
  await useBackend("wasm");
  const tokenizer = createTextTokenizer(recorded.tokenizer);
  const config = {
    model_type: "gpt2",
    n_embd: 16,
    n_head: 2,
    n_layer: 1,
    n_positions: 64,
    vocab_size: tokenizer.vocabularySize,
  };
  const model = createLanguageModel(config, randomStateDict(config, 3));
  const plain = createChatTemplate("{% for m in messages %}{{ m.content }}{% endfor %}");
  const options = { temperature: 0, maxTokens: 8, eosTokenId: [] };
  const reply = await generateReply(model, tokenizer, plain, question, options);
  const written = tokenizer.encode(reply);
  assert.ok(written.length > 0);
  // The same model where what it writes first ends turns.
  const ending = tokenizer.decode([written[0]!]);
  const template = {
    render: (messages: typeof question, prompts: boolean) =>
      prompts ? "hi" : messages.map(({ content }) => content + ending).join(""),
  };
  const special = { ...tokenizer, isSpecial: (id: number) => id === written[0] };
  assert.equal(await generateReply(model, special, template, question, options), "");
  assert.deepEqual(chatPrompt(template, tokenizer, question), tokenizer.encode("hi"));
  model.dispose();
});
