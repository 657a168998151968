// Where products go: stands before those of floats and of bytes; AssemblyScript, see
// kernels/build_kernels.ts.

/** Where results go: y[row] of a vector, with or without what is there. */
let outputs: usize = 0;
let bias: usize = 0;
let adds: bool = false;
let factor: f32 = 1;

/**
 * Says what is done with the sums of products: the bias is added where there is one (0: none), the
 * result times `scale` is added to what is at `y`, or replaces it.
 */
export function setOutput(y: usize, biasAt: usize, add: bool, scale: f32): void {
  outputs = y;
  bias = biasAt;
  adds = add;
  factor = scale;
}

// What comes after it uses it.
// deno-lint-ignore no-unused-vars
function put(row: i32, offset: usize, sum: f64): void {
  const at = <usize> row << 2;
  if (bias != 0) sum += <f64> load<f32>(bias + at);
  const to = outputs + offset + at;
  const value = factor * <f32> sum;
  store<f32>(to, adds ? load<f32>(to) + value : value);
}
