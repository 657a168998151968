import { fieldError, textField } from "./fields.ts";
import type { Task } from "./task.ts";

/** LAMBADA (Paperno et al., 2016), OpenAI's version: the last word of a passage. */
export const lambada: Task = {
  name: "lambada_openai",
  data:
    "hf://datasets/EleutherAI/lambada_openai@refs%2Fconvert%2Fparquet/default/test/0000.parquet",
  kind: "completion",
  read(entry) {
    const text = textField(entry, "text");
    const space = text.lastIndexOf(" ");
    if (space <= 0) throw fieldError(entry.where, "text", "more than one word", text);
    return { context: text.slice(0, space), continuation: text.slice(space) };
  },
};
