import assert from "node:assert";
import { predictedLoss } from "./predicted_loss.ts";

const hessian = Float64Array.of(2, 1, 1, 3);
const fisher = Float64Array.of(1, 0, 10);

Deno.test("predictedLoss() is half of the weighted quadratic form, in either layout", () => {
  const tensor = (shape: number[], ...data: number[]) => ({
    dtype: "F32" as const,
    shape,
    data: Float32Array.from(data),
  });
  // Errors (1, 0), (5, 5) and (1, -1): forms 2, 175 and 3.
  const expected = 0.5 * (1 * 2 + 0 * 175 + 10 * 3);
  assert.equal(
    predictedLoss(tensor([3, 2], 1, 0, 5, 5, 1, -1), tensor([3, 2], 0, 0, 0, 0, 0, 0), {
      inputAxis: 1,
      hessian,
      fisher,
    }),
    expected,
  );
  assert.equal(
    predictedLoss(tensor([2, 3], 1, 5, 1, 0, 5, -1), tensor([2, 3], 0, 0, 0, 0, 0, 0), {
      inputAxis: 0,
      hessian,
      fisher,
    }),
    expected,
  );
});

Deno.test("outputs whose gradients go together are priced by their second moment", () => {
  const tensor = (...data: number[]) => ({
    dtype: "F32" as const,
    shape: [3, 2],
    data: Float32Array.from(data),
  });
  // Block one: outputs 0 and 1; block two: output 2. Errors (1, 0), (0, 1) and (1, -1).
  const outputMoments = [
    { start: 0, moment: Float64Array.of(4, -1, -1, 2) },
    { start: 2, moment: Float64Array.of(5) },
  ];
  // e_o H e_p: 2 and 3 on the diagonal, 1 between; 3 for the last output.
  assert.equal(
    predictedLoss(tensor(1, 0, 0, 1, 1, -1), tensor(0, 0, 0, 0, 0, 0), {
      inputAxis: 1,
      hessian,
      outputMoments,
    }),
    0.5 * (4 * 2 + 2 * 3 - 2 * 1 + 5 * 3),
  );
});
