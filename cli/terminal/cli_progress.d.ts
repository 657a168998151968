/** The part of cli-progress 3.12 that kanpress uses; the package has no types of its own. */
export interface BarOptions {
  readonly format: string;
  readonly barCompleteChar: string;
  readonly barIncompleteChar: string;
  readonly barsize: number;
  readonly hideCursor: boolean;
  readonly clearOnComplete: boolean;
}

/** One progress bar, written to stderr. */
export declare class SingleBar {
  constructor(options: BarOptions);
  start(total: number, startValue: number, payload?: Record<string, string>): void;
  update(current: number, payload?: Record<string, string>): void;
  stop(): void;
}

declare const cliProgress: { readonly SingleBar: typeof SingleBar };
export default cliProgress;
