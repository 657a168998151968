/** Types of the numbers of ONNX files: `fp32`, `fp16`, `q8` and `int8` of transformers.js. */
export const onnxTypes = ["f32", "f16", "q8", "int8"] as const;

/** A type of {@linkcode onnxTypes}. */
export type OnnxWeightType = typeof onnxTypes[number];

/** Name of the file in which transformers.js looks for each type, in the folder `onnx`. */
export const onnxFileNames: Readonly<Record<OnnxWeightType, string>> = {
  f32: "model.onnx",
  f16: "model_fp16.onnx",
  q8: "model_quantized.onnx",
  int8: "model_int8.onnx",
};

/** What transformers.js calls each type in its option `dtype`. */
export const transformersTypes: Readonly<Record<OnnxWeightType, string>> = {
  f32: "fp32",
  f16: "fp16",
  q8: "q8",
  int8: "int8",
};

/** Whether a file of the folder `onnx` has a name of those that are written, its data included. */
export function isOnnxFileName(name: string): boolean {
  return Object.values(onnxFileNames).includes(name.replace(/_data(_\d+)?$/, ""));
}
