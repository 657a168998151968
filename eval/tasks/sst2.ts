import { answerField, textField } from "./fields.ts";
import type { Task } from "./task.ts";

/** SST-2 (Socher et al., 2013): whether a sentence of a review is for or against. */
export const sst2: Task = {
  name: "sst2",
  data: "hf://datasets/stanfordnlp/sst2@refs%2Fconvert%2Fparquet/default/validation/0000.parquet",
  kind: "classification",
  read: (entry) => ({ text: textField(entry, "sentence"), label: answerField(entry, "label", 2) }),
};
