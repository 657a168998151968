import { isJsonObject } from "../../data/json_file.ts";
import { type Entry, fieldError, textField, textsField } from "./fields.ts";
import { type ChoiceQuestion, choiceQuestion, type Task } from "./task.ts";

const PLACE = "hf://datasets/allenai/ai2_arc@refs%2Fconvert%2Fparquet";

/** The easy part of ARC (Clark et al., 2018): questions of school science. */
export const arcEasy: Task = {
  name: "arc_easy",
  data: `${PLACE}/ARC-Easy/test/0000.parquet`,
  kind: "choice",
  normalizes: true,
  read: readArc,
};

/** The part of ARC that simple methods get wrong. */
export const arcChallenge: Task = {
  ...arcEasy,
  name: "arc_challenge",
  data: `${PLACE}/ARC-Challenge/test/0000.parquet`,
};

function readArc(entry: Entry): ChoiceQuestion {
  const { record, where } = entry;
  const choices = record["choices"];
  if (!isJsonObject(choices)) throw fieldError(where, "choices", "an object", choices);
  const inside = { record: choices, where: `${where}: choices` };
  const [texts, labels] = [textsField(inside, "text", 2), textsField(inside, "label", 2)];
  const key = textField(entry, "answerKey");
  const answer = labels.indexOf(key);
  if (answer < 0 || answer >= texts.length) {
    throw fieldError(where, "answerKey", `one of ${labels.join(", ")}`, key);
  }
  return choiceQuestion(`Question: ${textField(entry, "question")}\nAnswer:`, texts, answer);
}
