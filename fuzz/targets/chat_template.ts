import { createChatTemplate } from "../../data/chat/chat_template.ts";
import { readChatTemplate } from "../../data/chat/read_chat_template.ts";
import { memorySource } from "../../data/memory_source.ts";
import type { Random } from "../../kan/numeric/random.ts";
import { mutateBytes } from "../mutate_bytes.ts";
import { mutateJson } from "../mutate_json.ts";
import type { FuzzTarget } from "../target.ts";

/** What templates are made of, so that nearly sound ones come about. */
const PIECES = [
  "{% for m in messages %}",
  "{% for i in range(999) %}",
  "{% endfor %}",
  "{% if m.role == 'user' %}",
  "{% elif loop.last %}",
  "{% else %}",
  "{% endif %}",
  "{% set n = namespace(s='ab', l=[1]) %}",
  "{% set n.s = n.s ~ n.s %}",
  "{% set n.l = [n.l, n.l, n] %}",
  "{% set x = messages %}",
  "{% macro f(a, b=2) %}",
  "{% endmacro %}",
  "{{ f(f(1)) }}",
  "{{ m['content'] | trim }}",
  "{{ n.s.replace('a', n.s) }}",
  "{{ n.s.split('a') | join(n.s) }}",
  "{{ n.l | tojson(indent=9) }}",
  "{{ n.s | indent(99, true) }}",
  "{{ messages | map(attribute='role') | list | length }}",
  "{{ messages | selectattr('role', 'equalto', 'user') | first }}",
  "{{ messages[1:-1:2] }}",
  "{{ '  x '.strip(' x') }}",
  "{{ raise_exception('no') }}",
  "{{ strftime_now('%d %b %Y') }}",
  "{{ bos_token + 'text' }}",
  "{{ constructor.__proto__ }}",
  "{{ 2 ** 9 // 3 % 5 }}",
  "{%- break %}",
  "{# a comment #}",
  "<|im_end|>\n",
];

const CONVERSATIONS = [
  [{ role: "user", content: "hi" }],
  [
    { role: "system", content: "" },
    { role: "user", content: "{{ messages }} {% for" },
    { role: "assistant", content: "\u0000🙂 </s>" },
  ],
  [],
];

function randomTemplate(random: Random): string {
  const count = 1 + random.integer(14);
  return Array.from({ length: count }, () => PIECES[random.integer(PIECES.length)]!).join("");
}

export const target: FuzzTarget = {
  name: "chat_template",
  description: "A chat template of pieces of Jinja, alone or in tokenizer_config.json, rendered.",

  mutate(random) {
    const source = randomTemplate(random);
    const settings = { bos_token: "<s>", chat_template: source };
    const text = random.integer(3) === 0 ? JSON.stringify(mutateJson(random, settings)) : source;
    const bytes = new TextEncoder().encode(text);
    return random.integer(3) === 0 ? mutateBytes(random, bytes) : bytes;
  },

  async read(input) {
    const isSettings = input[0] === "{".charCodeAt(0) && input[1] === '"'.charCodeAt(0);
    const name = isSettings ? "tokenizer_config.json" : "chat_template.jinja";
    const template = await readChatTemplate([memorySource(input, name)], {}) ??
      createChatTemplate("");
    for (const messages of CONVERSATIONS) {
      const text = template.render(messages, messages.length === 1);
      if (typeof text !== "string") throw new TypeError("a template gave no text");
    }
  },
};
