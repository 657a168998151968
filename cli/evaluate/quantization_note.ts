import { printableLine } from "../../data/printable.ts";

/** What figures mean whose original is quantized already, in one sentence; none for other originals. */
export function quantizationNotes(quantization: string | undefined): string[] {
  return quantization === undefined ? [] : [
    `The original is quantized already (${
      printableLine(quantization)
    }): divergences are from these ` +
    "weights, and what that quantization cost comes on top",
  ];
}
