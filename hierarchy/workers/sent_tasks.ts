import type { Store } from "../../store/store.ts";

/** Where tasks that other machines run lie, with their results. */
export interface SentTasks {
  /** The store that all machines see. */
  readonly store: Store;
  /**
   * To be called before a pass, with the names of the large arrays that its tasks are made of: of what
   * was sent before, no others are needed.
   */
  need(blobs: ReadonlySet<string>): Promise<void>;
}
