import { answerField, textField, textsField } from "./fields.ts";
import { choiceQuestion, type Task } from "./task.ts";

/** HellaSwag (Zellers et al., 2019): which sentence comes next. */
export const hellaSwag: Task = {
  name: "hellaswag",
  data: "hf://datasets/Rowan/hellaswag@refs%2Fconvert%2Fparquet/default/validation/0000.parquet",
  kind: "choice",
  normalizes: true,
  read(entry) {
    const second = textField(entry, "ctx_b");
    const context = `${textField(entry, "ctx_a")} ${capitalize(second)}`;
    const endings = textsField(entry, "endings", 2);
    return choiceQuestion(
      clean(`${textField(entry, "activity_label")}: ${context}`),
      endings.map(clean),
      answerField(entry, "label", endings.length),
    );
  },
};

/** Python's: the first letter large, all others small. */
function capitalize(text: string): string {
  const [first = "", ...others] = text;
  return first.toUpperCase() + others.join("").toLowerCase();
}

/** Takes WikiHow's marks out, as lm-eval does. */
function clean(text: string): string {
  return text.trim()
    .replaceAll(" [title]", ". ")
    .replaceAll(/\[.*?\]/g, "")
    .replaceAll("  ", " ");
}
