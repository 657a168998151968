import type * as tf from "@tensorflow/tfjs";

// Written as return types because `deno doc --lint` counts classes of other packages as private.

/** A tfjs tensor of any rank. */
export type Tensor = ReturnType<(typeof tf)["addN"]>;
/** A tfjs tensor of rank 1. */
export type Tensor1D = ReturnType<(typeof tf)["tensor1d"]>;
/** A tfjs tensor of rank 2. */
export type Tensor2D = ReturnType<(typeof tf)["tensor2d"]>;
/** A tfjs tensor of rank 3. */
export type Tensor3D = ReturnType<(typeof tf)["tensor3d"]>;
/** A trained tfjs tensor of any rank. */
export type Variable = ReturnType<(typeof tf)["variable"]>;
