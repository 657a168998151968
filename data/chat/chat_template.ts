import { Environment, parse, tokenize } from "@huggingface/jinja";
import { errorLine } from "../printable.ts";
import { InputError } from "../input_error.ts";
import { BoundedInterpreter } from "./bounded_interpreter.ts";
import { formatTime } from "./format_time.ts";

/** A turn of a conversation. */
export interface ChatMessage {
  /** Who speaks, such as `system`, `user` or `assistant`. */
  readonly role: string;
  /** What is said. */
  readonly content: string;
}

/** How a conversation becomes the text that a model was trained to see. */
export interface ChatTemplate {
  /**
   * The text of a conversation, with the beginning of the model's turn after it where `prompts` is
   * true (transformers' `add_generation_prompt`). Throws {@linkcode InputError} if the template
   * refuses the conversation, such as its system message, or does not end.
   */
  render(messages: readonly ChatMessage[], prompts: boolean): string;
}

/** A longer one is none that people write: the longest known have 60,000 characters. */
const LONGEST_TEMPLATE = 1_000_000;

/** Most numbers of a `range()`. */
const LONGEST_RANGE = 100_000;

/**
 * Makes a chat template from its Jinja source, with the settings and functions that transformers
 * gives it: lines of blocks are trimmed, `raise_exception` and `strftime_now` are there, and special
 * tokens are found by names such as `bos_token`. Whatever the source is, rendering ends and reaches
 * nothing but the conversation. `file` names it in messages. Throws {@linkcode InputError} where it
 * is not a template.
 *
 * ```ts
 * import { createChatTemplate } from "./chat_template.ts";
 * import assert from "node:assert";
 *
 * const template = createChatTemplate("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}");
 * assert.equal(template.render([{ role: "user", content: "Hello" }], false), "user: Hello\n");
 * ```
 */
export function createChatTemplate(
  source: string,
  specialTokens: Readonly<Record<string, string>> = {},
  file: string = "chat_template.jinja",
): ChatTemplate {
  if (source.length > LONGEST_TEMPLATE) {
    throw new InputError(`${file}: a chat template of ${source.length} characters is none`);
  }
  const program = guard(`${file}: is not a chat template`, () => {
    return parse(tokenize(source, { trim_blocks: true, lstrip_blocks: true }));
  });
  return {
    render: (messages, prompts) =>
      guard(`${file}: the chat template cannot be used for this conversation`, () => {
        const environment = globals(specialTokens);
        environment.set("messages", messages.map(({ role, content }) => ({ role, content })));
        environment.set("add_generation_prompt", prompts);
        const { value } = new BoundedInterpreter(environment).run(program);
        if (typeof value === "string") return value;
        throw new Error("it gives no text");
      }),
  };
}

function globals(specialTokens: Readonly<Record<string, string>>): Environment {
  const environment = new Environment();
  const values = {
    ...{ true: true, false: false, none: null },
    ...{ True: true, False: false, None: null },
    raise_exception(message: unknown) {
      throw new Error(String(message));
    },
    range,
    strftime_now: (format: unknown) => formatTime(new Date(), String(format)),
    ...specialTokens,
    ...{ tools: null, documents: null },
  };
  for (const [name, value] of Object.entries(values)) environment.set(name, value);
  return environment;
}

/** Python's `range`, of not too many numbers. */
function range(...given: readonly unknown[]): number[] {
  const numbers = given.filter((value) => Number.isSafeInteger(value)).map(Number);
  if (numbers.length !== given.length || numbers.length < 1 || numbers.length > 3) {
    throw new Error("range() takes one to three whole numbers");
  }
  const [first = 0, second, step = 1] = numbers;
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  if (step === 0) throw new Error("range() step must not be zero");
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > LONGEST_RANGE) throw new Error(`range() of ${length} numbers is too long`);
  return Array.from({ length }, (_, i) => start + i * step);
}

/** What goes wrong in a template is the template's fault: too deep a nesting, too. */
function guard<T>(problem: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new InputError(`${problem}: ${errorLine(detail).slice(0, 300)}`, { cause: error });
  }
}
