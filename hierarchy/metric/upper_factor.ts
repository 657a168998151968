/**
 * Factors a symmetric positive semidefinite matrix H (row-major, size × size) as U Uᵀ with U upper
 * triangular, after adding `damping` times the mean of the diagonal to the diagonal. Rows and
 * columns without any energy (dead inputs) get the damping alone, so a matrix of any rank works; a
 * zero matrix is taken for the identity.
 */
export function upperFactor(hessian: Float64Array, size: number, damping: number): Float64Array {
  let trace = 0;
  for (let i = 0; i < size; i++) trace += hessian[i * size + i]!;
  const ridge = trace > 0 ? damping * trace / size : 1;
  const factor = new Float64Array(size * size);
  // Column by column from the last: H_ij = Σ_{k >= max(i, j)} U_ik U_jk.
  for (let j = size - 1; j >= 0; j--) {
    for (let i = j; i >= 0; i--) {
      let sum = hessian[i * size + j]! + (i === j ? ridge : 0);
      const a = i * size, b = j * size;
      for (let k = j + 1; k < size; k++) sum -= factor[a + k]! * factor[b + k]!;
      factor[a + j] = i === j ? Math.sqrt(Math.max(sum, ridge * 1e-6)) : sum / factor[b + j]!;
    }
  }
  return factor;
}
