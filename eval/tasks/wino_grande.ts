import { answerField, fieldError, textField } from "./fields.ts";
import { characterCount, type Task } from "./task.ts";

/**
 * WinoGrande (Sakaguchi et al., 2020): which of two names a gap stands for, by the likelihood of
 * what comes after the gap.
 */
export const winoGrande: Task = {
  name: "winogrande",
  data:
    "hf://datasets/allenai/winogrande@refs%2Fconvert%2Fparquet/winogrande_xl/validation/0000.parquet",
  kind: "choice",
  normalizes: false,
  read(entry) {
    const sentence = textField(entry, "sentence");
    const gap = sentence.indexOf("_");
    if (gap < 0) throw fieldError(entry.where, "sentence", "text with a gap _", sentence);
    const rest = sentence.slice(gap + 1).trim();
    const options = [textField(entry, "option1"), textField(entry, "option2")];
    return {
      choices: options.map((option) => ({
        context: sentence.slice(0, gap) + option,
        continuation: ` ${rest}`,
      })),
      lengths: options.map(() => characterCount(rest)),
      answer: answerField(entry, "answer", 2, 1),
    };
  },
};
