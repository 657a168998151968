import { formatShare } from "../../eval/report/number_text.ts";
import { storedTasks } from "../../hierarchy/workers/stored_tasks.ts";
import type { TaskKind } from "../../hierarchy/workers/coding_tasks.ts";
import type { RunTasks } from "../../hierarchy/workers/task_runner.ts";
import type { Work } from "../output/work_folder.ts";
import type { Run } from "../terminal/run.ts";

/** Compresses by way of what is kept, and says how much of it an earlier run has done. */
export class KeptWork {
  readonly #work: Work;
  readonly #run: Pick<Run, "writeLine">;
  #passes = 0;
  /** Matrices of the pass in hand. */
  #matrices = 0;
  #isTold = false;
  #hasFound = { calibrate: false, compress: false };

  /** Work of a run. */
  constructor(work: Work, run: Pick<Run, "writeLine">) {
    this.#work = work;
    this.#run = run;
  }

  /** In which phases something was found, so that they took less time than they take. */
  get hasFound(): { readonly calibrate: boolean; readonly compress: boolean } {
    return this.#hasFound;
  }

  /** What calibration is given. */
  calibration() {
    const onFound = (share: number) => {
      this.#hasFound.calibrate = true;
      this.#tell(`${formatShare(share, 0)} of the calibration was found`);
    };
    return { store: this.#work.store, onFound };
  }

  /** What runs coding tasks. */
  tasksThrough(tasks: RunTasks): RunTasks {
    return storedTasks(tasks, this.#work.store, {
      onFound: (kind, found, of, partOf) => this.#found(kind, found, of, partOf),
    });
  }

  /** To be called when the weights are coded: nothing more will be found. */
  tellAll(): void {
    if (this.#passes > 0 && !this.#isTold) this.#tell("all matrices were found");
  }

  /** The search codes all matrices at one step after another: an earlier run ended in one of them. */
  #found(kind: TaskKind, found: number, of: number, partOf = of): void {
    this.#hasFound.compress ||= found > 0;
    if (kind !== "quantize" || this.#isTold) return;
    this.#matrices += found;
    if (found === of) {
      if (this.#matrices < partOf) return;
      this.#passes++;
      this.#matrices = 0;
      return;
    }
    this.#isTold = true;
    const passes = this.#passes, matrices = `${this.#matrices} of ${partOf} matrices`;
    if (passes + this.#matrices === 0) return;
    const pass = passes === 0
      ? matrices
      : `${passes} ${passes === 1 ? "pass" : "passes"} and ${matrices} of the next`;
    this.#tell(`${pass} were found`);
  }

  #tell(what: string): void {
    this.#run.writeLine(`going on: ${what} in ${this.#work.folder}`);
  }
}
