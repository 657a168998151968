/** The part of cli-progress 3.12 that kanpress uses; the package has no types of its own. */
export interface BarOptions {
  readonly format: () => string;
  /** Draws again when nothing has changed, ten times a second. */
  readonly forceRedraw: boolean;
  readonly hideCursor: boolean;
  readonly clearOnComplete: boolean;
}

/** One progress bar, written to stderr. */
export declare class SingleBar {
  constructor(options: BarOptions);
  start(total: number, startValue: number): void;
  update(current: number): void;
  stop(): void;
}

declare const cliProgress: { readonly SingleBar: typeof SingleBar };
export default cliProgress;
