import type { AttentionDescription, RotaryDescription } from "../architectures/description.ts";
import type { Device } from "./device.ts";
import type { Step } from "./program.ts";
import type { Workspace } from "./workspace.ts";

/** The sequences that go through a model at once. */
export interface Sequences {
  /** Number of sequences. */
  readonly batch: number;
  /** Tokens of each. */
  readonly length: number;
}

/** Finds the table of a rotation for sequences of some length on the device. */
export type RotationTables = (rotary: RotaryDescription, length: number) => GPUBuffer;

/** What goes through the layers, and where. */
export interface LayerRun {
  readonly device: Device;
  readonly workspace: Workspace;
  readonly sequences: Sequences;
  readonly tables: RotationTables;
  /** The steps of attention, where tokens see others beside those of the run. */
  readonly attend?: (run: LayerRun, attention: AttentionDescription) => Step[];
}
