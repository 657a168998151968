import { InputError } from "../../data/input_error.ts";
import { arcChallenge, arcEasy } from "./arc.ts";
import { hellaSwag } from "./hella_swag.ts";
import { lambada } from "./lambada.ts";
import { piqa } from "./piqa.ts";
import { sst2 } from "./sst2.ts";
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
  sst2,
];

/** Names of all tasks, as lm-eval calls them. */
export const taskNames: readonly string[] = tasks.map(({ name }) => name);

/** The task of a name; throws {@linkcode InputError} with a list of them for any other name. */
export function taskNamed(name: string): Task {
  const found = tasks.find((task) => task.name === name);
  if (found !== undefined) return found;
  throw new InputError(`unknown task "${name}"; choose one of ${taskNames.join(", ")}`);
}
