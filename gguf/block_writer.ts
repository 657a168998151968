/** Quantizes the block of `values` that begins at `from`, into `view` from byte `at` on. */
export type BlockWriter = (
  values: Float32Array,
  from: number,
  view: DataView,
  at: number,
) => void;
