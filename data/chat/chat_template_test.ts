import assert from "node:assert";
import { InputError } from "../input_error.ts";
import { memorySource } from "../memory_source.ts";
import { createTextTokenizer } from "../tokenizer.ts";
import { createChatTemplate } from "./chat_template.ts";
import { readChatTemplate } from "./read_chat_template.ts";
import recorded from "./testdata/chats.json" with { type: "json" };

const question = [{ role: "user", content: "hi" }];

function render(source: string): string {
  return createChatTemplate(source).render(question, true);
}

for (const [family, { settings, chats }] of Object.entries(recorded.families)) {
  Deno.test(`prompts and ids of ${family} are those of transformers`, async () => {
    const source = await Deno.readTextFile(
      new URL(`./testdata/${family}.jinja`, import.meta.url),
    );
    const template = createChatTemplate(source, settings);
    const tokenizer = createTextTokenizer(recorded.tokenizer, settings);
    let refused = 0;
    for (const { name, messages, prompts, text, ids } of chats) {
      if (text === null) {
        assert.throws(() => template.render(messages, prompts), InputError, name);
        refused++;
        continue;
      }
      const found = template.render(messages, prompts);
      assert.equal(found, text, name);
      assert.deepEqual([...tokenizer.encode(found)], ids, name);
    }
    assert.ok(refused < chats.length - 2);
  });
}

Deno.test("white space is taken off by characters, as Python does", () => {
  assert.equal(render("{{ ' \n hi\n'.strip('\n') }}|"), " \n hi|");
  assert.equal(render("{{ 'xxyhixy'.lstrip('xy') }}|{{ 'hixyx'.rstrip('xy') }}"), "hixy|hi");
  assert.equal(render("{{ '  hi '.strip() }}|"), "hi|");
});

Deno.test("range() is Python's", () => {
  const show = (given: string) => render(`{% for i in range(${given}) %}{{ i }} {% endfor %}`);
  assert.equal(show("3"), "0 1 2 ");
  assert.equal(show("2, 5"), "2 3 4 ");
  assert.equal(show("5, 0, -2"), "5 3 1 ");
  assert.equal(show("5, 2"), "");
});

/** Templates that would never end, take all memory, or want what is none of their business. */
const hostile: Record<string, string> = {
  "a long range": "{% for a in range(1000000000) %}x{% endfor %}",
  "loops in loops":
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
  "a text that doubles":
    "{% set n = namespace(s='ab') %}{% for a in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
  "lists of one list twice":
    "{% set n = namespace(s=[1]) %}{% for a in range(60) %}{% set n.s = [n.s, n.s] %}{% endfor %}",
  "a value in itself": "{% set n = namespace(s=[1]) %}{% set n.s = n %}{{ n }}",
  "a macro that calls itself":
    "{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
  "a wide indent": "{{ 'a\nb' | indent(1000000000) }}",
  "a deep indent of JSON": "{{ [1, 2] | tojson(indent=500000000) }}",
  "many replacements":
    "{% set n = namespace(s='aaaaaaaa') %}{% for a in range(16) %}{% set n.s = n.s ~ n.s %}" +
    "{% endfor %}{{ n.s.replace('a', n.s) }}",
  "JavaScript's functions": "{{ ('a' ~ 'b').constructor.constructor('return 1')() }}",
  "Python's classes": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
  "deep parentheses": `{{ ${"(".repeat(100_000)}`,
  "deep blocks": "{% if x %}".repeat(50_000),
  "no end": "{{ 1 ",
  "an end without a beginning": "{% endfor %}",
  "an unknown function": "{{ nope() }}",
  "its own refusal": "{{ raise_exception('no thanks') }}",
};

for (const [name, source] of Object.entries(hostile)) {
  Deno.test(`a hostile template ends and is refused: ${name}`, () => {
    assert.throws(() => render(source), (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, /^chat_template\.jinja: .+/);
      assert.ok(error.message.length < 500 && !error.message.includes("\n"));
      return true;
    });
  });
}

Deno.test("names of JavaScript's objects mean nothing in a template", () => {
  const names = ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty"];
  for (const name of names) {
    assert.equal(render(`{{ messages.${name} }}{{ messages[0]['${name}'] }}{{ ${name} }}`), "");
  }
});

const file = (name: string, value: unknown) =>
  memorySource(
    new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value)),
    `folder/${name}`,
  );

Deno.test("chat_template.jinja goes before tokenizer_config.json, whose tokens are known", async () => {
  const settings = file("tokenizer_config.json", {
    bos_token: { content: "<s>" },
    eos_token: "</s>",
    chat_template: "{{ bos_token }}config{{ eos_token }}{{ unk_token }}",
  });
  const inSettings = await readChatTemplate([settings], {});
  assert.equal(inSettings!.render(question, true), "<s>config</s>");
  const alone = file("chat_template.jinja", "{{ bos_token }}file");
  assert.equal((await readChatTemplate([settings, alone], {}))!.render(question, true), "<s>file");
  const map = file("special_tokens_map.json", { unk_token: "<unk>" });
  const withMap = await readChatTemplate([settings, map], {});
  assert.equal(withMap!.render(question, true), "<s>config</s><unk>");
});

Deno.test("of several templates the default one is taken", async () => {
  const list = [{ name: "tool_use", template: "tools" }, { name: "default", template: "plain" }];
  const settings = file("tokenizer_config.json", { chat_template: list });
  assert.equal((await readChatTemplate([settings], {}))!.render(question, true), "plain");
  const wrong = file("tokenizer_config.json", { chat_template: [1] });
  await assert.rejects(readChatTemplate([wrong], {}), /folder\/tokenizer_config\.json: its chat_/);
  assert.equal(await readChatTemplate([file("tokenizer_config.json", {})], {}), undefined);
});
