import type { ModelSource, StateDict } from "../../data/mod.ts";
import type { CompressOptions } from "../options/compress_options.ts";
import type { Run } from "../terminal/run.ts";
import type { Measurement } from "./compress_measurement.ts";
import type { Spread } from "./spread.ts";
import type { KeptWork } from "./kept_work.ts";
import type { CompressTarget } from "./compress_target.ts";

/** What a run of `compress` works with. */
export interface CompressJob {
  readonly name: string | undefined;
  readonly source: ModelSource;
  readonly original: StateDict;
  /** Folder for files that take what there is not memory enough for; undefined where there is. */
  readonly scratch: string | undefined;
  /** Digest of the original's weights. */
  readonly sha256: string;
  readonly measurement: Measurement;
  readonly target: CompressTarget;
  readonly options: CompressOptions;
  readonly run: Run;
  /** Where what is done is kept, if anywhere. */
  readonly work: KeptWork | undefined;
  /** Other machines that code, if any. */
  readonly spread: Spread | undefined;
}
