import type { WeightTensor } from "../../../data/tensor.ts";
import { createRandom } from "../../../kan/numeric/random.ts";
import { barsFigure } from "../bars.ts";
import { bitsPerLayerFigure } from "../bits_per_layer.ts";
import { errorSpectrumFigure } from "../error_spectrum.ts";
import type { Figure } from "../figure.ts";
import { functionsFigure } from "../functions.ts";
import { rateDistortionFigure } from "../rate_distortion.ts";
import { tradeOffFigure } from "../trade_off.ts";

/** One figure of each kind, with values like those of real models. */
export function exampleFigures(): Readonly<Record<string, Figure>> {
  const methods = ["rate", "hybrid", "gptq", "rtn", "nf4", "hqq", "Q4_K", "Q3_K", "seed"];
  const points = methods.flatMap((method, i) =>
    [2, 3, 4, 5].map((bitsPerWeight) => ({
      method,
      bitsPerWeight: bitsPerWeight + 0.1 * i,
      value: 47 + 30 * (1 + i) * 4 ** -bitsPerWeight * (method === "seed" ? 200 : 1),
      standardError: 2.5,
    }))
  );
  const x = Array.from({ length: 64 }, (_, i) => i);
  return {
    tradeOff: tradeOffFigure(points, { measure: "perplexity", original: 47.2 }),
    bits: bitsPerLayerFigure([
      { name: "transformer.wte.weight", shape: [4096, 192], bitsPerWeight: 3.6 },
      { name: "transformer.wpe.weight", shape: [256, 192], bitsPerWeight: 5.2 },
      ...["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"].flatMap((kind, i) =>
        Array.from({ length: 6 }, (_, layer) => ({
          name: `transformer.h.${layer}.${kind}.weight`,
          shape: [192, 192],
          bitsPerWeight: 2.5 + 0.3 * i - 0.1 * layer,
        }))
      ),
    ]),
    rateDistortion: rateDistortionFigure([
      { method: "Lloyd-Max scalar", rate: 2, distortion: 0.1175 },
      { method: "Lloyd-Max scalar", rate: 3, distortion: 0.0345 },
      { method: "Lloyd-Max scalar", rate: 4, distortion: 0.0095 },
      { method: "8-state trellis", rate: 2, distortion: 0.0718 },
      { method: "8-state trellis", rate: 3, distortion: 0.0176 },
      { method: "8-state trellis", rate: 4, distortion: 0.0044 },
    ]),
    spectrum: errorSpectrumFigure(noise(1, 1), [
      { name: "4 bits", tensor: noise(1, 1.02) },
      { name: "2 bits", tensor: noise(1, 1.3) },
    ]),
    functions: functionsFigure(
      [1, 2, 3].map((layer) => ({
        name: `layer ${layer}`,
        x,
        y: x.map((i) => Math.sin(i / 10) / layer),
      })),
      { title: "Learned functions", xTitle: "row", yTitle: "log2 of the step" },
    ),
    bars: barsFigure(["rate", "hybrid", "seed"], [
      { name: "field", values: [0.05, 0.05, 0] },
      { name: "trellis", values: [3.9, 3.4, 2.1] },
      { name: "header and norms", values: [0.05, 0.05, 0.06] },
    ], { title: "Where the bits go", xTitle: "preset", yTitle: "bits per weight", stacked: true }),
  };
}

/** A matrix of which the further columns are the smaller. */
function noise(seed: number, scale: number): WeightTensor {
  const random = createRandom(seed);
  const data = Float32Array.from(
    { length: 48 * 32 },
    (_, i) => scale * random.normal() * Math.exp(-(i % 32) / 10),
  );
  return { dtype: "F32", shape: [48, 32], data };
}
