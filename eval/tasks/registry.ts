import { InputError } from "../../data/input_error.ts";
import { arcChallenge, arcEasy } from "./arc.ts";
import { hellaSwag } from "./hella_swag.ts";
import { lambada } from "./lambada.ts";
import { piqa } from "./piqa.ts";
import { sst2Classifier } from "./sst2_classifier.ts";
import type { Task } from "./task.ts";
import { winoGrande } from "./wino_grande.ts";

/** Every task. */
export const tasks: readonly Task[] = [
  lambada,
  hellaSwag,
  piqa,
  arcEasy,
  arcChallenge,
  winoGrande,
  sst2Classifier,
];

/** Names of all tasks: lm-eval's where it has the task. */
export const taskNames: readonly string[] = tasks.map(({ name }) => name);

/** The task of a name; throws {@linkcode InputError} with a list of them for any other name. */
export function taskNamed(name: string): Task {
  const found = tasks.find((task) => task.name === name);
  if (found !== undefined) return found;
  throw new InputError(`unknown task "${name}"; choose one of ${taskNames.join(", ")}`);
}
