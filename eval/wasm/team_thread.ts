import type { TransformerDescription } from "../architectures/description.ts";
import { Barrier } from "./barrier.ts";
import type { Kernels } from "./kernels.ts";
import type { PassJob, PassThread } from "./pass_thread.ts";
import type { StoredWeights } from "./store.ts";
import type { Workspace } from "./workspace.ts";

/** What every thread of a team is given once. */
export interface TeamSetup {
  readonly memory: WebAssembly.Memory;
  readonly model: TransformerDescription;
  readonly weights: StoredWeights;
  readonly workspace: Workspace;
  /** Number of threads. */
  readonly count: number;
  /** Where threads wait for each other. */
  readonly barrier: Int32Array;
}

/** What a worker is sent: its setup and number first, then passes. */
export type TeamMessage =
  | { readonly kind: "setup"; readonly setup: TeamSetup; readonly index: number }
  | { readonly kind: "pass"; readonly job: PassJob };

/** What a worker says: that it has its setup, or why it failed. */
export type TeamReply = "ready" | { readonly failure: string };

/** What a thread works with. */
export function createThread(setup: TeamSetup, index: number, kernels: Kernels): PassThread {
  const barrier = new Barrier(setup.barrier, setup.count);
  return {
    ...setup,
    index,
    kernels,
    scratch: setup.workspace.scratch[index]!,
    barrier: () => barrier.wait(),
  };
}
