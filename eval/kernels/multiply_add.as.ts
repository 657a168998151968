// What comes after it uses it.
// deno-lint-ignore-file no-unused-vars

// What adds a product to a sum; AssemblyScript, see kernels/build_kernels.ts.

function multiplyAdd(sum: v128, a: v128, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(a, b));
}
