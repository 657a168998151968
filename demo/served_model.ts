/** A compressed model that the demo's server offers to the page. */
export interface ServedModel {
  /** What the page calls it. */
  readonly name: string;
  /** Bytes of the compressed file. */
  readonly bytes: number;
  /** Where its files are, relative to the page. */
  readonly folder: string;
}
