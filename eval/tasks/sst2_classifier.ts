import { answerField, textField } from "./fields.ts";
import type { Task } from "./task.ts";

/**
 * SST-2 (Socher et al., 2013): whether a sentence of a review is for or against, told by a model
 * with a classifier. The `sst2` of lm-eval asks a language model in words, which is another task.
 */
export const sst2Classifier: Task = {
  name: "sst2_classifier",
  data: "hf://datasets/stanfordnlp/sst2@refs%2Fconvert%2Fparquet/default/validation/0000.parquet",
  kind: "classification",
  read: (entry) => ({ text: textField(entry, "sentence"), label: answerField(entry, "label", 2) }),
};
