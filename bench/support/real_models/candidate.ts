import type { StateDict } from "../../../data/mod.ts";
import type { FileResult } from "./results_file.ts";

/** One way to make a model smaller: a row of the tables. */
export interface Candidate {
  /** What tables call it. */
  readonly method: string;
  /** Its file. */
  readonly file: string;
  /** Makes the file, and says what that took. */
  make(): Promise<FileResult>;
  /** Reads the weights back from the file. */
  read(): Promise<StateDict>;
}
