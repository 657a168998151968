import { answerField, textField } from "./fields.ts";
import { choiceQuestion, type Task } from "./task.ts";

/** PIQA (Bisk et al., 2020): which of two ways to do something works. */
export const piqa: Task = {
  name: "piqa",
  data: "hf://datasets/ybisk/piqa@refs%2Fconvert%2Fparquet/plain_text/validation/0000.parquet",
  kind: "choice",
  normalizes: true,
  read: (entry) =>
    choiceQuestion(
      `Question: ${textField(entry, "goal")}\nAnswer:`,
      [textField(entry, "sol1"), textField(entry, "sol2")],
      answerField(entry, "label", 2),
    ),
};
