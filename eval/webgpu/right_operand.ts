/**
 * Elements of a matrix that is multiplied by: float32, pairs of float16 in u32, or whole numbers, four of
 * 8 bits in u32, or two of 16 bits, whose bytes both have a sign.
 */
export type RightType = "f32" | "f16" | "i8" | "i16";

/** Whether elements are whole numbers, which are multiplied by a factor of their row and column. */
export function isScaled(type: RightType): boolean {
  return type === "i8" || type === "i16";
}

/** How the buffer of such a matrix is declared. */
export function rightArray(type: RightType): string {
  return {
    f32: "array<vec4<f32>>",
    f16: "array<vec2<u32>>",
    i8: "array<u32>",
    i16: "array<vec2<u32>>",
  }[
    type
  ];
}

/** WGSL that declares the scales of a matrix, if it has some; `Scales` in `model_weights.ts` says how. */
export function scalesBinding(type: RightType, binding: number): string {
  return isScaled(type)
    ? `@group(0) @binding(${binding}) var<storage, read> scales: array<vec2<u32>>;`
    : "";
}

/**
 * WGSL of a function that reads four neighbours of the buffer `name`: those at `at`, which stand in the
 * row `own` of the matrix from column `4 * quad` on.
 */
export function readRight(type: RightType, name: string): string {
  const body = {
    f32: `return ${name}[at];`,
    f16: `let pair = ${name}[at];
  return vec4(unpack2x16float(pair.x), unpack2x16float(pair.y));`,
    i8: `let four = vec4<i32>(bitcast<i32>(${name}[at]));
  return vec4<f32>((four << vec4(24u, 16u, 8u, 0u)) >> vec4(24u)) * scalesOf(own, quad);`,
    i16: `let pair = bitcast<vec2<i32>>(${name}[at]);
  let four = pair.xxyy << vec4(16u, 0u, 16u, 0u);
  let numbers = 256 * (four >> vec4(24u)) + ((four << vec4(8u)) >> vec4(24u));
  return vec4<f32>(numbers) * scalesOf(own, quad);`,
  }[type];
  const scalesOf = `fn scalesOf(own: u32, quad: u32) -> vec4<f32> {
  let row = scales[own];
  let at = row.y + 2u * quad;
  return bitcast<f32>(row.x) * vec4(bitcast<vec2<f32>>(scales[at]), bitcast<vec2<f32>>(scales[at + 1u]));
}
`;
  return `${isScaled(type) ? scalesOf : ""}fn readRight(at: u32, own: u32, quad: u32) -> vec4<f32> {
  ${body}
}`;
}
