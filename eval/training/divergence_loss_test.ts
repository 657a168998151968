import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { divergenceGradient } from "./divergence_loss.ts";

for (const settings of [{}, { logitScale: 0.5 }, { logitScale: 2, logitSoftCap: 3 }]) {
  Deno.test(`the divergence and its gradient follow their definitions: ${JSON.stringify(settings)}`, () => {
    const random = createRandom(1);
    const { logitScale = 1, logitSoftCap = Infinity } = settings as Record<string, number>;
    const draw = () => Float32Array.from({ length: 9 }, () => 2 * random.normal());
    const [original, product] = [draw(), draw()];
    const shares = (logits: number[]) => {
      const sum = logits.reduce((total, x) => total + Math.exp(x), 0);
      return logits.map((x) => Math.exp(x) / sum);
    };
    const divergence = (product: Float64Array) => {
      const p = shares([...original]);
      const q = shares(
        [...product].map((x) =>
          logitSoftCap === Infinity
            ? logitScale * x
            : logitSoftCap * Math.tanh(logitScale * x / logitSoftCap)
        ),
      );
      return p.reduce((sum, share, i) => sum + share * Math.log(share / q[i]!), 0);
    };
    const at = Float64Array.from(product);
    const gradient = product.slice();
    const found = divergenceGradient(original, gradient, settings);
    assert.ok(Math.abs(found - divergence(at)) < 1e-6);
    at.forEach((value, i) => {
      const [up, down] = [1e-5, -1e-5].map((h) => divergence(at.with(i, value + h)));
      assert.ok(Math.abs(gradient[i]! - (up! - down!) / 2e-5) < 1e-5);
    });
  });
}
